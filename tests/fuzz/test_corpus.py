"""Replays the inputs that fuzzing saved, findings included, without atheris."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.targets import TARGETS
from support.servers.emulators import tool_or_skip

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
INPUTS = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
PLANTED = """
def planted(data):
    if data[:1] == b"f" and data[1:2] == b"u" and data[2:3] == b"z":
        raise ValueError("planted")

TARGETS = {"planted": planted}
"""


@pytest.mark.parametrize("target", TARGETS)
def test_saved_inputs_do_not_fail(target):
    inputs = [path for path in INPUTS if path.parent.name == target]
    assert inputs
    for path in inputs:
        TARGETS[target](path.read_bytes())


def test_saved_inputs_belong_to_a_target_and_are_small():
    assert {path.parent.name for path in INPUTS} == set(TARGETS)
    assert all(path.stat().st_size <= 4096 for path in INPUTS)


@pytest.mark.slow
def test_planted_bug_is_found_and_saved(tmp_path):
    tool_or_skip("atheris")
    (tmp_path / "planted_targets.py").write_text(PLANTED)
    options = {
        "--module": "planted_targets",
        "--folder": tmp_path,
        "--corpus": tmp_path / "corpus",
        "--found": tmp_path / "found",
        "--seconds": 20,
    }
    words = [str(word) for option in options.items() for word in option]

    ended = subprocess.run(
        [sys.executable, "-m", "fuzz", *words, "planted"],
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},  # noqa: TID251 - a child's
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert ended.returncode == 1
    assert "ValueError: planted" in ended.stdout
    [kept] = (tmp_path / "corpus/planted").iterdir()
    assert kept.name.startswith("finding-crash-")
    assert kept.read_bytes()[:3] == b"fuz"
