"""The command line: a short run of every goal, and the effect of a missed goal."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bench.__main__ import main
from bench.goals.goal import Goal, find_goals
from bench.measure.figures import Figure

from kycourier_devkit.repository import ROOT
from support.built_packages import PACKAGED

NUMBERS = [f"G{at}" for at in range(1, 17)]


def fake_goal(measured: float) -> Goal:
    figure = Figure(label="a figure", measured=measured, goal=1)
    return Goal("G99", "fake", lambda _: ([figure], ["A note."]))


def test_goals_are_found_in_order_and_chosen_by_number():
    found = [goal.number for goal in find_goals()]

    assert found == NUMBERS
    assert [goal.number for goal in find_goals("g5,G12")] == ["G5", "G12"]


def test_missed_goal_is_named_last_and_ends_run_with_1(capsys):
    status = main([], goals=[fake_goal(0.9), fake_goal(1.1)])

    lines = capsys.readouterr().out.splitlines()
    assert status == 1
    assert lines[-1] == "1 of 2 goals met; missed: G99"
    assert max(map(len, lines)) <= 80


def test_met_goals_end_run_with_0(capsys):
    assert main([], goals=[fake_goal(1)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 1 goals met"


def test_unknown_goal_is_usage_error(capsys):
    assert main(["--only", "G77"]) == 2
    assert capsys.readouterr().err == "bench: no such goal: G77\n"


@pytest.fixture(scope="module")
def results(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Run every goal in short and return the stored results."""
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
    assert "goals met" in done.stdout.splitlines()[-1]
    return json.loads(file.read_text())


@pytest.mark.parametrize("number", [goal.number for goal in find_goals()])
class TestShortRun:
    pytestmark = PACKAGED

    def test_every_goal_is_measured(self, results, number):
        [report] = [each for each in results["reports"] if each["goal"] == number]
        decided = [each for each in report["figures"] if "goal" in each]

        assert decided or number == "G3"  # a Python may have no baseline yet
        assert all(each["measured"] >= 0 for each in decided)


@pytest.mark.parametrize("name", ["date", "machine", "versions", "emulators"])
class TestRunDescription:
    pytestmark = PACKAGED

    def test_machine_versions_and_emulator_limits_are_stored(self, results, name):
        assert results[name]
        assert results["remarks"] == ["A remark."]


@pytest.mark.slow
def test_ctrl_c_ends_run_and_its_children():
    code = (
        "import sys; from bench.__main__ import main\n"
        "from bench.goals.goal import Goal\n"
        "def measure(env):\n"
        "    with env.start_peer('boto3_client', runtime=env.local_runtime) as worker:"
        " print(worker.pid, flush=True); sys.stdin.read()\n"
        "sys.exit(main([], goals=[Goal('G99', 'fake', measure)]))"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout.readline().startswith("G99 fake")
    child = int(run.stdout.readline())
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=20)

    assert run.returncode == 130
    assert errors == "bench: interrupted\n"
    assert not Path(f"/proc/{child}").exists()
