"""The command line: a short run of every goal, and the effect of a missed goal."""

import json
import subprocess
import sys

import pytest
from bench.__main__ import main
from bench.goals.goal import Goal
from bench.measure.figures import Figure

from kycourier_devkit.repository import ROOT
from support.built_packages import PACKAGED


def fake_goal(measured: float) -> Goal:
    figure = Figure(label="a figure", measured=measured, goal=1)
    return Goal("G99", "fake", lambda _: ([figure], ["A note."]))


@pytest.mark.parametrize(
    ("measured", "status", "last_line"),
    [
        ([0.9, 1.1], 1, "1 of 2 goals met; missed: G99"),
        ([1], 0, "1 of 1 goals met"),
    ],
)
def test_missed_goal_is_named_last_and_ends_run_with_1(
    capsys, measured, status, last_line
):
    assert main([], goals=[*map(fake_goal, measured)]) == status
    assert capsys.readouterr().out.splitlines()[-1] == last_line


class TestShortRun:
    pytestmark = PACKAGED

    def test_measures_and_stores_every_goal(self, packages, tmp_path):
        file = tmp_path / "results.json"
        command = [sys.executable, "-m", "bench", "--smoke", "--packages", packages]
        done = subprocess.run(
            [*command, "--keep", file, "--remark", "A remark."],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
        )

        assert done.returncode == 0, done.stderr
        results = json.loads(file.read_text())
        assert results["remarks"] == ["A remark."]
        assert all(results[name] for name in ("machine", "versions", "emulators"))
        assert [each["goal"] for each in results["reports"]] == [
            f"G{number}" for number in range(1, 19)
        ]
        for report in results["reports"]:
            with_goal = [each for each in report["figures"] if "goal" in each]
            # A Python may have no baseline of G3 yet.
            assert with_goal or report["goal"] == "G3"
            assert all(each["measured"] >= 0 for each in with_goal)
