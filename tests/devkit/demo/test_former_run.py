"""The local demo removes what it left before, and nothing else."""

import sqlite3
from contextlib import closing

import pytest

from kycourier_devkit.demo.former_run import remove_former_run
from kycourier_devkit.errors import UsageError


@pytest.fixture
def root(tmp_path):
    return tmp_path / ".kycourier"


def write_state(root, *apps):
    with closing(sqlite3.connect(root / "state.db")) as state, state:
        state.execute("CREATE TABLE orders (app_id)")
        state.execute("CREATE TABLE tickets (app_id)")
        state.executemany("INSERT INTO orders VALUES (?)", [(app,) for app in apps])


def write_former_run(root):
    """Write what a demo leaves, and a file and a key of the user."""
    (root / "evidence/SANDBOX1/2026").mkdir(parents=True)
    (root / "evidence/SANDBOX1/2026/photo.jpg").write_text("photo")
    for name in ("events.jsonl", "functions.log", "queue.db", "fingerprint.key"):
        (root / name).write_text("text")
    write_state(root, "SANDBOX1")
    (root / "notes.txt").write_text("mine")


def test_files_of_a_former_demo_alone_are_removed(root):
    write_former_run(root)
    remove_former_run(root)
    left = {path.name for path in root.iterdir()}
    assert left == {"fingerprint.key", "notes.txt"}
    remove_former_run(root)
    remove_former_run(root.parent / "absent")


def test_folder_with_orders_of_another_app_is_left_untouched(root):
    write_former_run(root)
    (root / "state.db").unlink()
    write_state(root, "SANDBOX1", "PARTNER1")
    with pytest.raises(UsageError, match="orders of another app than SANDBOX1"):
        remove_former_run(root)
    assert (root / "events.jsonl").exists()


def test_folder_with_evidence_of_another_app_is_left_untouched(root):
    write_former_run(root)
    (root / "evidence/PARTNER1").mkdir()
    with pytest.raises(UsageError, match="evidence of another app than SANDBOX1"):
        remove_former_run(root)
    assert (root / "state.db").exists()


@pytest.mark.parametrize("name", ["events.jsonl", "state.db"])
def test_symlink_instead_of_a_file_is_refused(root, name):
    write_former_run(root)
    outside = root.parent / "outside"
    (root / name).rename(outside)
    (root / name).symlink_to(outside)
    with pytest.raises(UsageError, match="not a plain file"):
        remove_former_run(root)
    assert outside.exists()


def test_symlink_instead_of_the_evidence_folder_is_refused(root, tmp_path):
    root.mkdir()
    (tmp_path / "photos").mkdir()
    (root / "evidence").symlink_to(tmp_path / "photos")
    with pytest.raises(UsageError, match="not a folder"):
        remove_former_run(root)


def test_symlink_or_file_instead_of_the_folder_is_refused(root, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    root.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is not a folder"):
        remove_former_run(root)
    root.unlink()
    root.write_text("a file")
    with pytest.raises(UsageError, match="is not a folder"):
        remove_former_run(root)


def test_state_file_that_is_no_database_is_refused(root):
    root.mkdir()
    (root / "state.db").write_text("not a database at all, but long enough " * 50)
    with pytest.raises(UsageError):
        remove_former_run(root)
