"""Evidence in an object store is checked as files are."""

import pytest

from devkit.test_verify import keep
from fakes import FakeClock, MemoryEvidenceStore
from kycourier_devkit.evidence.check import (
    check_manifest,
    find_manifests,
    find_strays,
)
from kycourier_devkit.evidence.stored import StoredPath

URI = "memory://evidence"
FOLDER = "SANDBOX1/2026/01/01"


@pytest.fixture
def stored(tmp_path):
    """Give a store with two collections of three photos each."""
    store = MemoryEvidenceStore(FakeClock())
    for name in ("one", "two"):
        keep(tmp_path / name)
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
    return [(each.what, str(each.path)) for each in [*found, *find_strays(at(store))]]


def test_what_is_whole_is_found_and_has_no_finding(stored):
    manifests = find_manifests(at(stored))

    assert [check_manifest(path).objects for path in manifests] == [3, 3]
    assert findings(stored) == []


def test_object_that_is_gone_changed_or_extra_is_named_by_its_uri(stored):
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


def test_manifest_that_is_not_there_is_missing(stored):
    path = at(stored, f"{FOLDER}/one/manifest-0123456789abcdef.json")

    [finding] = check_manifest(path).findings

    assert (finding.what, str(finding.path)) == ("missing", str(path))


def test_where_nothing_lies_there_is_no_manifest(stored):
    nowhere = at(stored, "SANDBOX1/2027")

    assert nowhere.is_dir()
    assert find_manifests(nowhere) == []
