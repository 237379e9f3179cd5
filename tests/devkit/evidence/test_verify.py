"""Verification of evidence in local files."""

import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devkit.evidence.collections import write_collection
from kycourier_devkit.evidence.manifests import check_manifest


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


def test_deleted_object_is_missing(kycourier, manifest):
    gone = original_of(manifest)
    gone.unlink()
    result = kycourier("verify", str(manifest))
    assert result.code == 1
    assert f"missing  {gone}  " in result.out
    assert findings_of(manifest) == {("missing", gone.name)}


@pytest.mark.parametrize("content", [b"original phot0", b"original photo.", b""])
def test_object_with_other_bytes_is_changed(manifest, content):
    original_of(manifest).write_bytes(content)
    assert findings_of(manifest) == {("changed", original_of(manifest).name)}


def test_object_that_is_not_in_the_manifest_is_extra(kycourier, manifest):
    (manifest.parent / ".cropped.part").write_bytes(b"left behind")
    result = kycourier("verify", str(manifest))
    assert result.code == 1
    assert f"extra  {manifest.parent / '.cropped.part'}  " in result.out


def test_all_findings_are_reported_together(manifest):
    original_of(manifest).unlink()
    [cropped] = manifest.parent.glob("cropped-*")
    cropped.write_bytes(b"other")
    (manifest.parent / "more.jpg").write_bytes(b"")
    assert {kind for kind, _ in findings_of(manifest)} == {
        "missing",
        "changed",
        "extra",
    }


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


def test_renamed_manifest_is_changed(manifest):
    renamed = manifest.rename(manifest.with_name("manifest-0000000000000000.json"))
    assert findings_of(renamed) == {("changed", renamed.name)}
    plain = renamed.rename(manifest.with_name("manifest.json"))
    assert findings_of(plain) == {("changed", "manifest.json")}


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


def test_folder_is_searched_for_manifests(kycourier, tmp_path, manifest):
    other = write_collection(tmp_path / "evidence/2/two")
    result = kycourier("verify", "evidence")
    assert result.code == 0
    assert result.out.count("ok  ") == 2
    assert "2 manifests verified: " in result.out
    original_of(other).unlink()
    result = kycourier("verify", "evidence")
    assert result.code == 1
    assert result.err.startswith("2 manifests, 1 failed; 0 objects without a manifest")
    assert f"ok  {manifest.relative_to(tmp_path)}" in result.out


def test_files_without_manifest_are_extra(kycourier, tmp_path, manifest):
    (tmp_path / "evidence/stray.jpg").write_bytes(b"stray")
    result = kycourier("verify", "evidence")
    assert result.code == 1
    assert "extra  evidence/stray.jpg  (no manifest beside it)" in result.out
    assert manifest.name in result.out


def test_folder_without_manifest_fails(kycourier, tmp_path):
    (tmp_path / "empty").mkdir()
    result = kycourier("verify", "empty")
    assert (result.code, result.err) == (1, "No manifest found.\n")


def test_absent_manifest_is_missing(kycourier, manifest):
    manifest.unlink()
    result = kycourier("verify", str(manifest))
    assert result.code == 1
    assert result.out == f"missing  {manifest}  (no such manifest)\n"


def test_empty_path_is_a_usage_error(kycourier):
    """A shell passes one for a variable that is not set."""
    result = kycourier("verify", "")
    assert (result.code, result.out) == (2, "")
    assert "PATH: is empty; name a manifest or a folder" in result.err


def test_unreadable_path_prints_one_line(kycourier):
    result = kycourier("verify", "/dev/null/evidence" + "x" * 300)
    assert result.code != 0
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err
