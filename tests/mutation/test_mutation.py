"""The runner of `make mutation`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.repository import ROOT
from kycourier_devkit.tool_envs import python_tool
from mutation.report import Mutant, Report, read_reasons

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


def test_killed_and_listed_mutants_pass():
    assert Report([(LISTED, False), (OTHER, True)], REASONS).passes


@pytest.mark.parametrize(
    ("outcomes", "gaps", "stale"),
    [
        ([(LISTED, False), (OTHER, False)], 1, 0),
        ([(LISTED, True), (OTHER, True)], 0, 1),
        ([(OTHER, True)], 0, 1),
        ([(LISTED, False), (LISTED, True)], 0, 1),
        ([], 0, 0),
    ],
    ids=["a gap", "killed", "gone", "one of two killed", "no mutants at all"],
)
def test_unlisted_survivor_or_stale_entry_fails(outcomes, gaps, stale):
    report = Report(outcomes, REASONS)
    assert not report.passes
    assert (len(report.gaps), len(report.stale)) == (gaps, stale)


def test_entries_of_other_modules_are_not_stale():
    other = Mutant(module="signature", within="", was="a", becomes="b", text="")
    assert Report([(other, True)], REASONS).passes


@pytest.mark.parametrize(
    "text", [ENTRY.format(why=" "), ENTRY.format(why="x") * 2], ids=["none", "twice"]
)
def test_listed_mutant_has_exactly_one_reason(text):
    with pytest.raises(ValueError, match="twice, or without"):
        read_reasons(text.encode())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_real_run_names_unlisted_survivors_and_stale_entries(tmp_path):
    try:
        python_tool("mutmut")
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))
    text = LIST.read_text(encoding="utf-8")
    listed = tmp_path / "list.toml"
    listed.write_text(
        text.replace('encode("UTF-16-BE")', 'encode("utf-16-le")'), encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mutation", "signature", "--list", listed],
        check=False,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "tests"},  # noqa: TID251 - a child's
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith(("NOT", "STALE"))] == [
        "NOT KILLED: kycourier.core.wire.signature.sign",
        "STALE, killed or no longer made: kycourier.core.wire.signature.sign",
    ]
    assert sum("UTF-16-BE" in line for line in lines) == 1
