"""The local demo removes what it left before, and nothing else."""

import sqlite3
from contextlib import closing

import pytest

from kycourier_devkit.demo.former_run import remove_former_run
from kycourier_devkit.errors import UsageError


@pytest.fixture
def root(tmp_path):
    """Return a folder that holds what a demo leaves, and two files of the user."""
    root = tmp_path / ".kycourier"
    (root / "evidence/SANDBOX1/2026").mkdir(parents=True)
    (root / "evidence/SANDBOX1/2026/photo.jpg").write_text("photo")
    for name in ("events.jsonl", "functions.log", "queue.db", "fingerprint.key"):
        (root / name).write_text("text")
    (root / "notes.txt").write_text("mine")
    with closing(sqlite3.connect(root / "state.db")) as state, state:
        state.execute("CREATE TABLE orders (app_id)")
        state.execute("CREATE TABLE tickets (app_id)")
        state.execute("INSERT INTO orders VALUES ('SANDBOX1')")
    return root


def test_only_files_of_a_former_demo_are_removed(root):
    remove_former_run(root)
    left = {path.name for path in root.iterdir()}
    assert left == {"fingerprint.key", "notes.txt"}
    remove_former_run(root)
    remove_former_run(root.parent / "absent")


def add_order_of_another_app(root):
    with closing(sqlite3.connect(root / "state.db")) as state, state:
        state.execute("INSERT INTO orders VALUES ('PARTNER1')")


def add_evidence_of_another_app(root):
    (root / "evidence/PARTNER1").mkdir()


def spoil_state(root):
    (root / "state.db").write_text("not a database at all, but long enough " * 50)


def link(name):
    """Return a change that replaces a path below the root by a symlink to it."""

    def change(root):
        path = root / name
        path.rename(root.parent / "outside")
        path.symlink_to(root.parent / "outside")

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (add_order_of_another_app, "orders of another app than SANDBOX1"),
        (add_evidence_of_another_app, "evidence of another app than SANDBOX1"),
        (spoil_state, "orders of another app"),
        (link("events.jsonl"), "not a plain file"),
        (link("state.db"), "not a plain file"),
        (link("evidence"), "not a folder"),
        (link(""), "is not a folder"),
    ],
)
def test_folder_that_may_hold_other_data_is_left_untouched(root, change, message):
    change(root)
    with pytest.raises(UsageError, match=message):
        remove_former_run(root)
    assert (root / "functions.log").exists()


def test_file_instead_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(UsageError, match="is not a folder"):
        remove_former_run(tmp_path / "file")
