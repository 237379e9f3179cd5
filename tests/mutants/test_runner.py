"""The runner of `make mutants`, on made-up bugs."""

import os
import subprocess
import sys
from itertools import pairwise

import pytest

from mutants.catalogue import load_plants
from mutants.planting import TargetError, plant
from mutants.runner import ROOT

PLANTS = """
from mutants.catalogue import edits, replaces

RETRY = "kycourier.core.retry"
TESTS = "tests/core/test_retry.py"


@replaces(f"{RETRY}:until_ready", "I8", TESTS)
def made_up_caught(until_ready, tries):
    return until_ready(tries + 1)


@replaces("kycourier.core.documents.bank_card_numbers:mask_number", "I5", TESTS)
def made_up_survivor(_mask, _number):
    pass


@replaces(f"{RETRY}:until_ready", "I8", TESTS)
def made_up_broken(until_ready, tries):
    return until_ready(tries).no_such_attribute


@replaces(f"{RETRY}:until_photos", "log", TESTS, finding=("SINK",))
def made_up_leak(_until_photos, tries):
    return tries


@edits(f"{RETRY}:GONE", "I8", TESTS)
def made_up_missing(value):
    return value


"""


@pytest.mark.slow
def test_each_made_up_bug_gets_its_verdict(tmp_path):
    (tmp_path / "made_up.py").write_text(PLANTS)
    paths = os.pathsep.join([str(ROOT / "tests"), str(tmp_path)])
    done = subprocess.run(
        [sys.executable, "-m", "mutants", "--only", "made_up_*", "--why"],
        cwd=ROOT,
        env={"PYTHONPATH": paths, "MORE_PLANTS": "made_up", "HOME": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
        timeout=55,
    )
    output = done.stdout
    assert done.returncode == 1, done.stderr
    lines = [line.split(maxsplit=1) for line in output.splitlines()]
    verdicts = {
        line[1]: " ".join(after)
        for line, after in pairwise(lines)
        if len(line) == 2 and line[1].startswith("made_up_")
    }
    assert verdicts["made_up_caught"].startswith("core/test_retry.py::")
    assert verdicts["made_up_survivor"] == "PROBLEM: survived"
    assert "the plant itself fails: AttributeError" in verdicts["made_up_broken"]
    assert verdicts["made_up_leak"] == "PROBLEM: caught, but not as SINK"
    assert verdicts["made_up_missing"] == "PROBLEM: no verdict:"
    assert "made_up_missing: kycourier.core.retry:GONE does not exist" in output
    assert "1 of 5 caught" in output


def test_every_invariant_is_broken_by_a_planted_bug():
    broken = {each.breaks for each in load_plants().values()}
    assert {f"I{number}" for number in range(1, 18)} <= broken


def test_target_and_tests_of_every_planted_bug_exist():
    plants = load_plants().values()
    assert len(plants) >= 55
    for each in plants:
        with pytest.raises(TargetError, match=f"^the change leaves {each.target} as"):
            plant(each.target, lambda original: original)
        assert (ROOT / each.tests.split("::")[0].split()[0]).is_file(), each.name
