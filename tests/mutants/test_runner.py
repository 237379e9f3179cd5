"""`make mutants` itself: what it catches, what it tells, and how it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mutants.catalogue import ROOT

pytestmark = pytest.mark.slow
CAUGHT = "core/test_retry.py::test_not_ready_schedule"
ENTRY = """
[{name}]
breaks = "I8"
says = "planted for a test of the runner"
file = "core/retry.py"
change = '''
{change}
'''
caught_by = ["{test}"]
"""
WRONG_SCHEDULE = "-_NOT_READY = (5, 15, 60, 300, 3600)\n+_NOT_READY = (5, 15, 60)"
LONGER_PAUSE = (
    "-LONGEST_PAUSE = timedelta(minutes=5)\n+LONGEST_PAUSE = timedelta(minutes=6)"
)
NO_DIFFERENCE = "-SECOND = timedelta(seconds=1)\n+SECOND = timedelta(milliseconds=1000)"


def command(folder: Path, **entries: str | tuple[str, str]) -> list[str]:
    """Write a catalogue of changes; give the command that tries it."""
    bugs = folder / "catalogue" / "bugs"
    bugs.mkdir(parents=True)
    texts = []
    for name, entry in entries.items():
        change, test = (entry, CAUGHT) if isinstance(entry, str) else entry
        texts.append(ENTRY.format(name=name, change=change, test=test))
    (bugs / "bugs.toml").write_text("".join(texts))
    options = ["--catalogue", str(bugs.parent), "--suite", "tests/core"]
    return [sys.executable, "-m", "mutants", *options]


def environment(folder: Path) -> dict[str, str]:
    (folder / "passing").mkdir()
    around = os.environ  # noqa: TID251 - a program's own
    paths = {"PYTHONPATH": str(ROOT / "tests"), "TMPDIR": str(folder / "passing")}
    return {**around, **paths}


def run(
    folder: Path, *options: str, **entries: str | tuple[str, str]
) -> tuple[int, str]:
    """Run to the end; give the status and what was shown, its blanks and folds gone."""
    done = subprocess.run(
        [*command(folder, **entries), *options],
        env=environment(folder),
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.stderr == ""
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert not list((folder / "passing").iterdir())
    return done.returncode, re.sub(r"\s+", "", done.stdout)


def test_a_caught_bug_is_shown_with_its_test_and_why_when_asked_for(tmp_path):
    status, shown = run(tmp_path, "--why", wrong_schedule=WRONG_SCHEDULE)
    assert f"I8wrong_schedule{CAUGHT}" in shown
    assert "wrong_schedule:plantedforatestoftherunnerassert[" in shown
    assert "1of1caughtbythetestsnamedforthem." in shown
    assert status == 0


def test_a_change_without_a_difference_survives(tmp_path):
    status, shown = run(tmp_path, same=NO_DIFFERENCE)
    assert "I8samesurvived" in shown
    assert status == 1


def test_a_bug_that_another_test_catches_is_told_with_that_one(tmp_path):
    status, shown = run(tmp_path, longer_pause=LONGER_PAUSE)
    assert "notcaughtbythetestsnamedcore/test_" in shown
    assert status == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("-_NOT_READY = (1, 2, 3)\n+_NOT_READY = ()", "isfound0times,notonce"),
        ("-_NOT_READY = (5, 15, 60, 300, 3600)\n+_NOT_READY = (", "itbreaksthemodule"),
        ("-_PHOTOS = (1, 2, 4, 15, 30, 60)\n+_PHOTOS = never", "itbreaksthemodule"),
        (
            "-_NOT_READY = (5, 15, 60, 300, 3600)\n+_NOT_READY = (5)[0]",
            "noverdict:",
        ),
    ],
    ids=["gone", "no Python", "unknown name", "no import"],
)
def test_what_cannot_be_planted_is_no_catch(tmp_path, change, told):
    status, shown = run(tmp_path, broken=change, fine=WRONG_SCHEDULE)
    assert told in shown
    assert "1of2caught" in shown
    assert status == 1


def test_tests_that_fail_or_are_missing_without_the_bug_prove_nothing(tmp_path):
    entry = (WRONG_SCHEDULE, "core/test_retry.py::test_that_is_not_there")
    status, shown = run(tmp_path, wrong_schedule=entry)
    assert "Withoutanychange,thetestsnamedfail:" in shown
    assert status == 1


def test_a_name_that_is_not_there_is_told(tmp_path):
    status, shown = run(tmp_path, "--only", "other", wrong_schedule=WRONG_SCHEDULE)
    assert shown == "Nobugorleakiscalledother."
    assert status == 1


def test_ctrl_c_ends_all_and_leaves_nothing(tmp_path):
    asleep = (
        "-_NOT_READY = (5, 15, 60, 300, 3600)\n"
        "+import time; time.sleep(300)\n"
        "+_NOT_READY = ()"
    )
    process = subprocess.Popen(
        command(tmp_path, asleep=asleep, too=asleep),
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    folder = tmp_path / "passing"
    ends_at = time.monotonic() + 40
    while time.monotonic() < ends_at and not list(folder.glob("*/1/output.txt")):
        time.sleep(0.05)

    process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=30)

    assert (process.returncode, shown) == (130, "Ended, with all that ran.\n")
    assert not list(folder.iterdir())
