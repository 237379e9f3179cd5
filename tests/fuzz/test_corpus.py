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
class TestFuzzing:
    def run(self, *arguments):
        tool_or_skip("atheris")
        return subprocess.run(
            [sys.executable, "-m", "fuzz", *arguments],
            env={**os.environ, "PYTHONPATH": str(HERE.parent)},  # noqa: TID251 - a child's
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    def test_target_is_fuzzed_for_a_limited_time(self):
        ended = self.run("--seconds", "2", "order_request")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.splitlines()[-1] == "0 findings"

    def test_planted_bug_is_found_and_saved(self, tmp_path):
        (tmp_path / "planted_targets.py").write_text(PLANTED)
        ended = self.run(
            *("--module", "planted_targets", "--folder", str(tmp_path)),
            *("--corpus", str(tmp_path / "corpus"), "--found", str(tmp_path / "found")),
            *("--seconds", "20", "planted"),
        )
        assert ended.returncode == 1
        assert "ValueError: planted" in ended.stdout
        [kept] = (tmp_path / "corpus/planted").iterdir()
        assert kept.name.startswith("finding-crash-")
        assert kept.read_bytes()[:3] == b"fuz"
