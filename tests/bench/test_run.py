"""The bench works: a short run of every goal, and what a goal that is short does."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bench.__main__ import main
from bench.figures import Figure
from bench.goal import Goal, find_goals

from built import PACKAGED
from kycourier_devkit.toolbox import ROOT

NUMBERS = [f"G{at}" for at in range(1, 17)]


def planted(measured: float) -> Goal:
    figure = Figure(label="a figure", measured=measured, goal=1)
    return Goal("G99", "planted", lambda _: ([figure], ["A note."]))


def test_goals_are_found_in_order_and_chosen_by_number():
    found = [goal.number for goal in find_goals()]

    assert found == [number for number in NUMBERS if number in found]
    assert len(found) >= 15
    assert [goal.number for goal in find_goals("g5,G12")] == ["G5", "G12"]


def test_goal_that_is_short_ends_the_run_with_1_and_is_named_last(capsys):
    status = main([], goals=[planted(0.9), planted(1.1)])

    lines = capsys.readouterr().out.splitlines()
    assert status == 1
    assert lines[-1] == "1 of 2 goals held; short: G99"
    assert max(map(len, lines)) <= 80


def test_goals_that_are_held_end_it_with_0(capsys):
    assert main([], goals=[planted(1)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 1 goals held"


def test_unknown_goal_is_a_mistake_of_the_callers(capsys):
    assert main(["--only", "G77"]) == 2
    assert capsys.readouterr().err == "bench: no such goal\n"


@pytest.fixture(scope="module")
def kept(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Run every goal in short; give what was kept of it."""
    file = tmp_path_factory.mktemp("results") / "results.json"
    command = [sys.executable, "-m", "bench", "--smoke", "--packages", packages]
    done = subprocess.run(
        [*command, "--keep", file, "--remark", "A remark."],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "goals held" in done.stdout.splitlines()[-1]
    return json.loads(file.read_text())


@pytest.mark.parametrize("number", [goal.number for goal in find_goals()])
class TestShortRun:
    pytestmark = PACKAGED

    def test_every_goal_is_measured(self, kept, number):
        [report] = [each for each in kept["reports"] if each["goal"] == number]
        decided = [each for each in report["figures"] if each["goal"] is not None]

        assert decided or number == "G3"  # on a Python that has no counts kept yet
        assert all(each["measured"] >= 0 for each in decided)


@pytest.mark.parametrize("name", ["date", "machine", "versions", "stand_ins"])
class TestSurroundings:
    pytestmark = PACKAGED

    def test_machine_versions_and_the_stand_ins_limits_are_kept(self, kept, name):
        assert kept[name]
        assert kept["remarks"] == ["A remark."]


@pytest.mark.slow
def test_ctrl_c_ends_the_run_and_its_children():
    code = (
        "import sys; from bench.__main__ import main; from bench.goal import Goal;"
        "from bench.warm import *\n"
        "def measure(stage):\n"
        "    with stage.peer('naive/bare_client.py', runtime=stage.local_runtime) as w:"
        " print(w.pid, flush=True); sys.stdin.read()\n"
        "sys.exit(main([], goals=[Goal('G99', 'planted', measure)]))"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout.readline().startswith("G99 planted")
    child = int(run.stdout.readline())
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=20)

    assert run.returncode == 130
    assert said == "bench: stopped\n"
    assert not Path(f"/proc/{child}").exists()
