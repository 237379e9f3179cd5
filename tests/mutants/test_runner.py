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


@replaces("kycourier.core.documents.bank_card:mask_number", "I5", TESTS)
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


@edits(f"{RETRY}:ORDER_BACKOFF_MAX", "I8", TESTS)
def made_up_same(pause):
    return pause
"""
IN_CHILD = """
import os, subprocess, sys
from kycourier.core import retry

def test_child_with_variables_of_its_own_is_planted():
    environ = {name: os.environ[name] for name in ("MORE_PLANTS", "PYTHONPATH")}
    code = "from kycourier.core import retry as r; print(r.ORDER_BACKOFF_MAX.days)"
    child = subprocess.check_output([sys.executable, "-c", code], env=environ)
    assert (child, retry.ORDER_BACKOFF_MAX.days) == (b"9\\n", 9)
"""
IN_CHILD_PLANT = """
from datetime import timedelta
from mutants.catalogue import edits

@edits("kycourier.core.retry:ORDER_BACKOFF_MAX", "I8", "")
def made_up_child(_pause):
    return timedelta(days=9)
"""


def run(folder, plants, *command):
    (folder / "made_up.py").write_text(plants)
    paths = os.pathsep.join([str(ROOT / "tests"), str(folder)])
    environ = {"PYTHONPATH": paths, "MORE_PLANTS": "made_up", "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environ,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=55,
    )
    return done.returncode, done.stdout


@pytest.mark.slow
def test_each_made_up_bug_gets_its_verdict(tmp_path):
    status, output = run(tmp_path, PLANTS, "mutants", "--only", "made_up_*", "--why")
    assert status == 1
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
    assert "made_up_same: the change leaves" in output
    assert "1 of 6 caught" in output


@pytest.mark.slow
def test_bug_is_planted_in_child_processes(tmp_path):
    test = tmp_path / "test_child.py"
    test.write_text(IN_CHILD)
    options = ["-p", "mutants.plugin", "-n0", "--plant", "made_up_child", str(test)]
    status, output = run(tmp_path, IN_CHILD_PLANT, "pytest", *options)
    assert status == 0, output


def test_unknown_name_fails(tmp_path):
    status, output = run(tmp_path, PLANTS, "mutants", "--only", "no_such_bug")
    assert (status, output) == (1, "No bug or leak is named no_such_bug.\n")


def test_target_and_tests_of_every_planted_bug_exist():
    plants = load_plants().values()
    assert len(plants) >= 55
    for each in plants:
        with pytest.raises(TargetError, match=f"^the change leaves {each.target} as"):
            plant(each.target, lambda original: original)
        assert (ROOT / each.tests.split("::")[0].split()[0]).is_file(), each.name


def test_target_that_does_not_exist_is_an_error():
    for target in (
        "kycourier.gone:name",
        "kycourier.core.documents.bank_card:gone.name",
    ):
        with pytest.raises(TargetError, match="does not exist"):
            plant(target, str)
