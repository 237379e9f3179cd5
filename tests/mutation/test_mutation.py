"""The runner of mutation testing bites."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.toolbox import ROOT, python_tool
from mutation.verdict import Mutant, Verdict, read_reasons

LIST = Path(__file__).with_name("equivalent.toml")
ENTRY = """
[[equivalent]]
module = "card"
within = "mask"
was = "a"
becomes = ["b"]
why = "{why}"
"""
REASONS = read_reasons(ENTRY.format(why="the same").encode())
LISTED = Mutant(module="card", within="mask", was="a", becomes="b", text="")
OTHER = Mutant(module="card", within="mask", was="a", becomes="c", text="")


def test_killed_and_listed_mutants_hold():
    assert Verdict([(LISTED, False), (OTHER, True)], REASONS).holds


@pytest.mark.parametrize(
    ("fates", "gaps", "stale"),
    [
        ([(LISTED, False), (OTHER, False)], 1, 0),
        ([(LISTED, True), (OTHER, True)], 0, 1),
        ([(OTHER, True)], 0, 1),
        ([(LISTED, False), (LISTED, True)], 0, 1),
        ([], 0, 0),
    ],
    ids=["a gap", "killed", "gone", "one of two killed", "no mutants at all"],
)
def test_nothing_else_holds(fates, gaps, stale):
    verdict = Verdict(fates, REASONS)
    assert not verdict.holds
    assert (len(verdict.gaps), len(verdict.stale)) == (gaps, stale)


def test_a_list_is_judged_for_the_modules_that_ran():
    signing = Mutant(module="signing", within="", was="a", becomes="b", text="")
    assert Verdict([(signing, True)], REASONS).holds


@pytest.mark.parametrize(
    "text", [ENTRY.format(why=" "), ENTRY.format(why="x") * 2], ids=["none", "twice"]
)
def test_each_listed_mutant_has_one_reason(text):
    with pytest.raises(ValueError, match="twice, or without"):
        read_reasons(text.encode())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_real_run_names_what_lives_unlisted_and_what_is_listed_for_nothing(tmp_path):
    try:
        python_tool("mutmut")
    except ToolMissing as missing:
        pytest.skip(str(missing))
    text = LIST.read_text(encoding="utf-8")
    listed = tmp_path / "list.toml"
    listed.write_text(
        text.replace('encode("UTF-16-BE")', 'encode("utf-16-le")'), encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mutation", "signing", "--list", listed],
        check=False,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "tests"},  # noqa: TID251 - a child's
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith(("NOT", "STALE"))] == [
        "NOT KILLED: signing.sign",
        "STALE, killed or gone: signing.sign",
    ]
    assert sum("UTF-16-BE" in line for line in lines) == 1
