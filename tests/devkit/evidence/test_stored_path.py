"""Verification of evidence in an object store."""

import pytest

from devkit.evidence.collections import write_collection
from kycourier_devkit.evidence.manifests import (
    check_manifest,
    find_manifests,
    find_strays,
)
from kycourier_devkit.evidence.stored_path import StoredPath
from support.fakes import FakeClock, MemoryEvidenceStore

URI = "memory://evidence"
FOLDER = "SANDBOX1/2026/01/01"


@pytest.fixture
def stored(tmp_path):
    """Return a store with two collections of three photos each."""
    store = MemoryEvidenceStore(FakeClock())
    for name in ("one", "two"):
        write_collection(tmp_path / name)
        for path in (tmp_path / name).iterdir():
            store.objects[f"{FOLDER}/{name}/{path.name}"] = path.read_bytes()
    return store


def at(store, key=FOLDER):
    return StoredPath(store, URI, key)


def original_in(store, name):
    [key] = [key for key in store.objects if f"/{name}/original-" in key]
    return key


def findings(store):
    checked = [check_manifest(path) for path in find_manifests(at(store))]
    found = [finding for each in checked for finding in each.findings]
    return [(each.kind, str(each.path)) for each in [*found, *find_strays(at(store))]]


def test_complete_evidence_has_no_finding(stored):
    manifests = find_manifests(at(stored))

    assert [check_manifest(path).objects for path in manifests] == [3, 3]
    assert findings(stored) == []


def test_missing_changed_and_extra_objects_are_named_by_uri(stored):
    gone, changed = original_in(stored, "one"), original_in(stored, "two")
    del stored.objects[gone]
    stored.objects[changed] = b"other bytes"
    stored.objects[f"{FOLDER}/two/deep/er.jpg"] = b""
    stored.objects[f"{FOLDER}/three/stray.jpg"] = b""

    assert set(findings(stored)) == {
        ("missing", f"{URI}/{gone}"),
        ("changed", f"{URI}/{changed}"),
        ("extra", f"{URI}/{FOLDER}/two/deep/er.jpg"),
        ("extra", f"{URI}/{FOLDER}/three/stray.jpg"),
    }


def test_absent_manifest_is_missing(stored):
    path = at(stored, f"{FOLDER}/one/manifest-0123456789abcdef.json")

    [finding] = check_manifest(path).findings

    assert (finding.kind, str(finding.path)) == ("missing", str(path))


def test_empty_prefix_has_no_manifest(stored):
    empty = at(stored, "SANDBOX1/2027")

    assert empty.is_dir()
    assert find_manifests(empty) == []
