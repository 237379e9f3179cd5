"""Verification of evidence in local files and in object stores."""

import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devkit.evidence.collections import sha256, write_collection
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.errors import UsageError
from kycourier_devkit.evidence.manifests import (
    check_manifest,
    find_manifests,
    find_strays,
)
from kycourier_devkit.evidence.stored_path import StoredPath
from kycourier_devkit.evidence.verify import verify_paths
from kycourier_devkit.sandbox import Sandbox
from support.aws.clients import aws_client
from support.fakes import FakeClock, MemoryEvidenceStore
from support.tencent_api_rig import REGION, new_bucket, open_evidence, tencent_context

FOLDER = "SANDBOX1/2026/01/01"


@pytest.fixture
def manifest(tmp_path):
    return write_collection(tmp_path / "evidence/one")


def findings_of(manifest):
    return {(each.kind, each.path.name) for each in check_manifest(manifest).findings}


def original_of(manifest):
    [path] = manifest.parent.glob("original-*")
    return path


def test_complete_evidence_is_verified(kycourier, manifest):
    result = kycourier("verify", str(manifest))
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines()[0] == f"ok  {manifest}  (3 objects)"
    assert kycourier("verify", f"file://{manifest}").code == 0


@pytest.mark.parametrize("content", [b"original phot0", b"original photo.", b""])
def test_object_with_other_bytes_is_changed(manifest, content):
    original_of(manifest).write_bytes(content)
    assert findings_of(manifest) == {("changed", original_of(manifest).name)}


def test_all_findings_are_reported_together(kycourier, manifest):
    gone = original_of(manifest)
    gone.unlink()
    [cropped] = manifest.parent.glob("cropped-*")
    cropped.write_bytes(b"other")
    (manifest.parent / ".cropped.part").write_bytes(b"left behind")

    result = kycourier("verify", str(manifest))

    assert result.code == 1
    assert findings_of(manifest) == {
        ("missing", gone.name),
        ("changed", cropped.name),
        ("extra", ".cropped.part"),
    }
    for kind, name in findings_of(manifest):
        assert f"{kind}  {manifest.parent / name} " in result.out


@given(data=st.data())
def test_any_flipped_bit_is_detected(tmp_path_factory, data):
    manifest = write_collection(tmp_path_factory.mktemp("flipped") / "one")
    path = data.draw(st.sampled_from(sorted(manifest.parent.iterdir())))
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(content))
    assert ("changed", path.name) in findings_of(manifest)
    shutil.rmtree(manifest.parent)


@pytest.mark.parametrize("name", ["manifest-0000000000000000.json", "manifest.json"])
def test_renamed_manifest_is_changed(manifest, name):
    renamed = manifest.rename(manifest.with_name(name))
    assert findings_of(renamed) == {("changed", name)}


@pytest.mark.parametrize(
    "changes",
    [
        {"objects": None},
        {"objects": [1]},
        {"manifest": "another.v1"},
        {"objects": [{"name": "../secret", "sha256": "0" * 64, "bytes": 1}]},
        {"objects": [{"name": "..", "sha256": "0" * 64, "bytes": 1}]},
        {"objects": [{"name": "a", "sha256": "0" * 63, "bytes": 1}]},
        {"objects": [{"name": "a", "sha256": "0" * 64, "bytes": True}]},
    ],
)
def test_invalid_manifest_is_changed_and_its_objects_are_not_read(tmp_path, changes):
    manifest = write_collection(tmp_path / "odd", **changes)
    assert ("changed", manifest.name) in findings_of(manifest)


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff", b"null"])
def test_manifest_that_is_not_json_is_changed(manifest, content):
    manifest.write_bytes(content)
    assert ("changed", manifest.name) in findings_of(manifest)


def test_folder_is_searched_for_manifests_and_strays(kycourier, tmp_path, manifest):
    other = write_collection(tmp_path / "evidence/2/two")
    result = kycourier("verify", "evidence")
    assert (result.code, result.out.count("ok  ")) == (0, 2)
    assert "2 manifests verified: " in result.out

    original_of(other).unlink()
    (tmp_path / "evidence/stray.jpg").write_bytes(b"stray")
    result = kycourier("verify", "evidence")
    assert result.code == 1
    assert result.err.startswith("2 manifests, 1 failed; 1 objects without a manifest")
    assert f"ok  {manifest.relative_to(tmp_path)}" in result.out
    assert "extra  evidence/stray.jpg has no manifest beside it.\n" in result.out


def test_path_without_manifest_fails(kycourier, tmp_path, manifest):
    (tmp_path / "empty").mkdir()
    result = kycourier("verify", "empty")
    assert (result.code, result.err) == (1, "No manifest found.\n")
    manifest.unlink()
    result = kycourier("verify", str(manifest))
    assert (result.code, result.out[:9]) == (1, "missing  ")


@pytest.fixture
def sent(kycourier):
    """Collect two orders and return the folder of the first."""
    with Sandbox() as sandbox:
        collected = kycourier("collect", "A1", "A2", KYCOURIER_KYC_URL=sandbox.url)
    assert collected.code == 0
    manifest = json.loads(kycourier("show", "A1", "--json").out)["result"]["manifest"]
    return Path(manifest["uri"].removeprefix("file://")).parent


def forge(folder):
    shutil.rmtree(folder)
    return write_collection(folder)


def drop(folder):
    [manifest] = folder.glob("manifest-*")
    shutil.rmtree(folder)
    return manifest


WITH_EVENTS = ["--events", ".kycourier/events.jsonl"]


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "source", [WITH_EVENTS, ["--state"], [*WITH_EVENTS, "--state"]]
)
@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        (forge, "changed", "is not the manifest that order A1 was sent with"),
        (drop, "missing", "does not exist; order A1 was sent with it"),
        (
            lambda folder: write_collection(folder.with_name("unsent")),
            "extra",
            "was never sent",
        ),
    ],
)
def test_evidence_that_is_not_what_was_sent_is_found(
    kycourier, sent, source, change, kind, reason
):
    assert kycourier("verify", *source).code == 0
    manifest = change(sent)

    assert kycourier("verify", ".kycourier/evidence").code == 0  # consistent in itself
    result = kycourier("verify", *source)

    found = [line for line in result.out.splitlines() if not line.startswith("ok ")]
    assert set(found) == {f"{kind}  {manifest} {reason}."}
    assert result.code == 1
    assert "unlike what was sent" in result.err


@pytest.mark.usefixtures("manifest")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file"),
        (b"\xff", "cannot be read: is not UTF-8 text"),
        (b'{"data": {}}\n\n{"secret": 1}\n', "line 3 is not an event"),
        (b"secret\n", "line 1 is not an event"),
    ],
)
def test_unusable_event_file_is_named(kycourier, tmp_path, content, message):
    if content is not None:
        (tmp_path / "sent.jsonl").write_bytes(content)
    result = kycourier("verify", "evidence", "--events", "sent.jsonl")
    assert result.code == 2
    assert result.err.startswith("kycourier: --events: sent.jsonl")
    assert message in result.err
    assert "secret" not in result.err


def test_unreadable_path_prints_one_line(kycourier):
    result = kycourier("verify", "/dev/null/evidence" + "x" * 300)
    assert result.code != 0
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err


def stored_collections(tmp_path, *names):
    """Yield the keys and bytes of collections of three photos each."""
    for name in names:
        write_collection(tmp_path / name)
        for path in (tmp_path / name).iterdir():
            yield f"{FOLDER}/{name}/{path.name}", path.read_bytes()


def test_findings_in_an_object_store_are_named_by_uri(tmp_path):
    uri, store = "memory://evidence", MemoryEvidenceStore(FakeClock())
    store.objects |= dict(stored_collections(tmp_path, "one", "two"))
    root = StoredPath(store, uri, FOLDER)
    assert [check_manifest(path).objects for path in find_manifests(root)] == [3, 3]
    assert list(find_strays(root)) == []
    gone, changed = (
        next(key for key in store.objects if f"/{name}/original-" in key)
        for name in ("one", "two")
    )
    del store.objects[gone]
    store.objects[changed] = b"other bytes"
    store.objects[f"{FOLDER}/two/deep/er.jpg"] = b""
    store.objects[f"{FOLDER}/three/stray.jpg"] = b""

    checked = [check_manifest(path) for path in find_manifests(root)]

    found = [*(each for one in checked for each in one.findings), *find_strays(root)]
    assert {(each.kind, str(each.path)) for each in found} == {
        ("missing", f"{uri}/{gone}"),
        ("changed", f"{uri}/{changed}"),
        ("extra", f"{uri}/{FOLDER}/two/deep/er.jpg"),
        ("extra", f"{uri}/{FOLDER}/three/stray.jpg"),
    }
    absent = StoredPath(store, uri, f"{FOLDER}/one/manifest-0123456789abcdef.json")
    assert [each.kind for each in check_manifest(absent).findings] == ["missing"]
    assert find_manifests(StoredPath(store, uri, "SANDBOX1/2027")) == []


@pytest.mark.enable_socket
@pytest.mark.slow
class TestInCos:
    @pytest.fixture
    def bucket(self, cos, tmp_path):
        """Return a bucket with one collection below a prefix."""
        name = new_bucket(cos)
        store = open_evidence(cos.url, f"{name}/kyc")
        for key, content in stored_collections(tmp_path, "one"):
            store.put(key, content, sha256=sha256(content), media_type="image/jpeg")
        return name

    def test_missing_object_is_found(self, cos, bucket, moto, tmp_path):
        terminal = Terminal(StringIO(), StringIO())
        environ = dict(tencent_context(cos.url).environ)
        context = CliContext(environ, tmp_path, terminal, FakeClock())
        url, region = f"cos://{bucket}/kyc/{FOLDER}", f"?region={REGION}"
        assert verify_paths(context, [f"{url}{region}", f"{url}/one{region}"]) == 0
        with pytest.raises(UsageError, match="has no region"):
            verify_paths(context, [url])
        s3 = aws_client("s3", moto)
        listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
        [gone] = [each["Key"] for each in listed if "original" in each["Key"]]
        s3.delete_object(Bucket=bucket, Key=gone)

        assert verify_paths(context, [f"{url}{region}"]) == 1
