"""Evidence is as its manifest says, or each object that is not is named."""

import hashlib
import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier_devkit.evidence.check import check_manifest

PHOTOS = {"original": b"original photo", "cropped": b"cropped", "number": b"number"}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def write_manifest(folder, members):
    content = json.dumps(members).encode()
    path = folder / f"manifest-{sha256(content)[:16]}.json"
    path.write_bytes(content)
    return path


def keep(folder, **changes):
    """Write a collection's photos and manifest; give the manifest's path."""
    folder.mkdir(parents=True)
    objects = []
    for kind, content in PHOTOS.items():
        name = f"{kind}-{sha256(content)[:16]}.jpg"
        (folder / name).write_bytes(content)
        objects.append(
            {
                "kind": kind,
                "name": name,
                "sha256": sha256(content),
                "bytes": len(content),
                "media_type": "image/jpeg",
            }
        )
    manifest = {"manifest": "kycourier.manifest.v1", "objects": objects}
    return write_manifest(folder, manifest | changes)


@pytest.fixture
def manifest(tmp_path):
    return keep(tmp_path / "evidence/one")


def find(manifest):
    return {(each.what, each.path.name) for each in check_manifest(manifest).findings}


def original_of(manifest):
    [path] = manifest.parent.glob("original-*")
    return path


def test_what_is_whole_is_ok(kycourier, manifest):
    ended = kycourier("verify", str(manifest))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == f"ok  {manifest}  (3 objects)"
    assert kycourier("verify", f"file://{manifest}").code == 0


def test_an_object_that_is_gone_is_missing(kycourier, manifest):
    gone = original_of(manifest)
    gone.unlink()
    ended = kycourier("verify", str(manifest))
    assert ended.code == 1
    assert f"missing  {gone}  " in ended.out
    assert find(manifest) == {("missing", gone.name)}


@pytest.mark.parametrize("content", [b"original phot0", b"original photo.", b""])
def test_an_object_with_other_bytes_is_changed(manifest, content):
    original_of(manifest).write_bytes(content)
    assert find(manifest) == {("changed", original_of(manifest).name)}


def test_an_object_that_is_not_named_is_extra(kycourier, manifest):
    (manifest.parent / ".cropped.part").write_bytes(b"left behind")
    ended = kycourier("verify", str(manifest))
    assert ended.code == 1
    assert f"extra  {manifest.parent / '.cropped.part'}  " in ended.out


def test_everything_wrong_is_named_at_once(manifest):
    original_of(manifest).unlink()
    [cropped] = manifest.parent.glob("cropped-*")
    cropped.write_bytes(b"other")
    (manifest.parent / "more.jpg").write_bytes(b"")
    assert {what for what, _ in find(manifest)} == {"missing", "changed", "extra"}


@given(data=st.data())
def test_one_flipped_bit_anywhere_is_found(tmp_path_factory, data):
    manifest = keep(tmp_path_factory.mktemp("flipped") / "one")
    path = data.draw(st.sampled_from(sorted(manifest.parent.iterdir())))
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(content))
    assert ("changed", path.name) in find(manifest)
    shutil.rmtree(manifest.parent)


def test_a_manifest_under_another_name_is_changed(manifest):
    renamed = manifest.rename(manifest.with_name("manifest-0000000000000000.json"))
    assert find(renamed) == {("changed", renamed.name)}
    plain = renamed.rename(manifest.with_name("manifest.json"))
    assert find(plain) == {("changed", "manifest.json")}


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
def test_a_manifest_that_is_none_is_told_of_and_nothing_else_is_read(tmp_path, changes):
    manifest = keep(tmp_path / "odd", **changes)
    assert ("changed", manifest.name) in find(manifest)


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff", b"null"])
def test_a_manifest_that_is_no_json_is_changed(manifest, content):
    manifest.write_bytes(content)
    assert ("changed", manifest.name) in find(manifest)


def test_a_folder_is_searched_for_manifests(kycourier, tmp_path, manifest):
    other = keep(tmp_path / "evidence/2/two")
    ended = kycourier("verify", "evidence")
    assert ended.code == 0
    assert ended.out.count("ok  ") == 2
    assert "2 manifests: every object is there" in ended.out
    original_of(other).unlink()
    ended = kycourier("verify", "evidence")
    assert ended.code == 1
    assert ended.err.startswith(
        "2 manifests, 1 not as it should be; 0 objects without one"
    )
    assert f"ok  {manifest.relative_to(tmp_path)}" in ended.out


def test_files_without_a_manifest_are_extra(kycourier, tmp_path, manifest):
    (tmp_path / "evidence/stray.jpg").write_bytes(b"stray")
    ended = kycourier("verify", "evidence")
    assert ended.code == 1
    assert "extra  evidence/stray.jpg  (there is no manifest beside it)" in ended.out
    assert manifest.name in ended.out


def test_an_empty_folder_proves_nothing(kycourier, tmp_path):
    (tmp_path / "empty").mkdir()
    ended = kycourier("verify", "empty")
    assert (ended.code, ended.err) == (1, "There is no manifest there.\n")


def test_a_manifest_that_is_not_there_is_missing(kycourier, manifest):
    manifest.unlink()
    ended = kycourier("verify", str(manifest))
    assert ended.code == 1
    assert ended.out == f"missing  {manifest}  (there is no such manifest)\n"


def test_an_empty_word_names_nothing(kycourier):
    """As a shell passes a variable that is not set: not this whole folder."""
    ended = kycourier("verify", "")
    assert (ended.code, ended.out) == (2, "")
    assert "name a manifest or a folder" in ended.err


def test_a_path_that_cannot_be_looked_at_is_one_sentence(kycourier):
    ended = kycourier("verify", "/dev/null/evidence" + "x" * 300)
    assert ended.code != 0
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
