"""Keys, file modes, flushes and failures of the evidence files."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kycourier.adapters.local import files
from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.core.errors import EvidenceConflictError, EvidenceUnavailableError
from support.rigs.local_rig import file_mode, open_file_evidence
from support.spies import spy_on_fsync

KEY = "SANDBOX1/2026/01/01/f00d/original-0123456789abcdef.jpg"
PHOTO = b"\xff\xd8\xff" + bytes(range(256))


@pytest.fixture
def store(tmp_path: Path) -> FileEvidenceStore:
    return open_file_evidence(tmp_path)


@pytest.fixture(params=["nameless", "named"])
def temporary_file(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Use unnamed temporary files, or named ones where O_TMPFILE is missing."""
    if request.param == "named":
        monkeypatch.setattr(files, "_UNNAMED", 0)
    return str(request.param)


def put(
    store: FileEvidenceStore,
    key: str = KEY,
    content: bytes = PHOTO,
    *,
    more: bool = False,
) -> None:
    digest = hashlib.sha256(content).hexdigest()
    store.put(key, content, sha256=digest, media_type="image/jpeg", more=more)


def files_below(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir()
    )


# files


@pytest.mark.usefixtures("temporary_file")
@pytest.mark.parametrize("umask", [0o000, 0o077], ids=oct)
def test_files_and_folders_are_for_the_owner_only(tmp_path, umask):
    before = os.umask(umask)
    try:
        put(open_file_evidence(tmp_path))
    finally:
        os.umask(before)

    paths = list(tmp_path.rglob("*"))
    assert {file_mode(path) for path in paths if path.is_dir()} == {0o700}
    assert {file_mode(path) for path in paths if path.is_file()} == {0o600}


@pytest.mark.usefixtures("temporary_file")
def test_put_flushes_content_before_rename_and_folders_after(
    store, tmp_path, monkeypatch
):
    path = tmp_path / "evidence" / KEY
    flushed = spy_on_fsync(monkeypatch, path)

    put(store)

    inodes = [place.stat().st_ino for place in (path, path.parent, path.parent.parent)]
    assert (inodes[0], False) in flushed
    assert flushed[-2:] == [(inodes[1], True), (inodes[2], True)]


def test_put_with_more_defers_the_folder_flush_to_the_last_object(
    store, tmp_path, monkeypatch
):
    folder = (tmp_path / "evidence" / KEY).parent
    last = folder / "last.json"
    flushed = spy_on_fsync(monkeypatch, last)

    prefix = KEY.rpartition("/")[0]
    for name in ("a.jpg", "b.jpg"):
        put(store, f"{prefix}/{name}", more=True)
    before = [inode for inode, _ in flushed]
    put(store, f"{prefix}/{last.name}")

    assert (folder / "a.jpg").stat().st_ino in before
    assert folder.stat().st_ino not in before
    assert flushed.count((folder.stat().st_ino, True)) == 1


@pytest.mark.usefixtures("temporary_file")
def test_put_leaves_no_temporary_files(store, tmp_path):
    put(store)
    put(store)
    with pytest.raises(EvidenceConflictError):
        put(store, KEY, b"other")

    assert files_below(tmp_path / "evidence") == [KEY]


def test_list_includes_files_of_killed_and_foreign_writers(store, tmp_path):
    put(store)
    folder = KEY.rpartition("/")[0]
    others = [f"{folder}/{name}" for name in (".x1y2.part", "由他人.txt", "a blank")]
    for other in others:
        (tmp_path / "evidence" / other).write_bytes(b"half")

    assert sorted(store.list(folder)) == sorted([KEY, *others])


# keys


@pytest.mark.parametrize(
    "key",
    [
        "", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/..", "a/../b",
        "a/./b", "a/..\n", "a\n", "a b", "a\\b", "a\0b", "a:b", "%2e%2e/a", "~/a",
        "a?b", "照片.jpg", "a/\u202eb", "a\ud800",
    ],
)  # fmt: skip
def test_unsafe_key_is_rejected(store, tmp_path, key):
    uses: list[Callable[[], object]] = [
        lambda: put(store, key),
        lambda: store.digest(key),
        lambda: store.open(key),
        lambda: store.list(key),
        lambda: store.link(key, seconds=60),
    ]
    for use in uses:
        with pytest.raises(EvidenceUnavailableError):
            use()
    assert files_below(tmp_path) == ["keys/link"]


@example(key="a")
@example(key="...")
@example(key="a/..b/c..")
@example(key="-/_")
@example(key=".x1y2.part")
@given(
    key=st.text("ab./-_\\ \n%0", max_size=12)
    | st.lists(st.sampled_from(["a", ".", "..", "...", "", ".a", "b-_."])).map("/".join)
)
def test_any_key_is_rejected_or_stored_below_the_root(tmp_path_factory, key):
    folder = tmp_path_factory.mktemp("any")
    store = open_file_evidence(folder)
    try:
        put(store, key)
    except EvidenceUnavailableError:
        assert files_below(folder) == ["keys/link"]
    else:
        assert files_below(folder) == [f"evidence/{key}", "keys/link"]
        assert list(store.list(key.partition("/")[0])) in ([key], [])


# failures


def assert_fails(work: Callable[[], object], folder: Path) -> None:
    """Check that a call fails without the path and without another error."""
    with pytest.raises(EvidenceUnavailableError) as failure:
        work()
    assert failure.value.__context__ is None
    assert str(folder) not in f"{failure.value!r} {failure.value}"


@pytest.mark.parametrize("name", ["evidence", "keys"])
def test_file_in_place_of_a_folder_stops_the_start(tmp_path, name):
    (tmp_path / name).touch()

    assert_fails(lambda: open_file_evidence(tmp_path), tmp_path)


def test_key_below_a_file_is_evidence_unavailable(store, tmp_path):
    (tmp_path / "evidence" / "a").touch()

    assert_fails(lambda: put(store, "a/b.jpg"), tmp_path)
    assert_fails(lambda: store.digest("a/b.jpg"), tmp_path)
    assert_fails(lambda: store.open("a/b.jpg"), tmp_path)


def test_folder_or_dangling_symlink_at_the_key_is_evidence_unavailable(store, tmp_path):
    (tmp_path / "evidence" / "folder.jpg").mkdir()
    link = tmp_path / "evidence" / "link.jpg"
    link.symlink_to("nowhere")

    assert_fails(lambda: put(store, "folder.jpg"), tmp_path)
    assert_fails(lambda: put(store, "link.jpg"), tmp_path)
    assert link.is_symlink()
