"""The same seed is the same run, byte for byte, in any process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.run import run
from simulation.scenarios import scenario_of

TESTS = Path(__file__).parents[1]
SEEDS = (3, 5, 12, 40, 77, 91)
DIGESTS = f"""
from simulation.run import run
from simulation.scenarios import scenario_of
for seed in {SEEDS}:
    print(run(scenario_of(seed)).digest)
"""


def digests(hash_seed):
    environ = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONHASHSEED": hash_seed}  # noqa: TID251 - a child's
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS],
        env=environ, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.slow
def test_a_seed_gives_the_same_trace_in_processes_that_hash_differently():
    here = [run(scenario_of(seed)).digest for seed in SEEDS]
    assert digests("1") == digests("2") == here


def test_another_seed_gives_another_trace():
    assert len({run(scenario_of(seed)).digest for seed in SEEDS}) == len(SEEDS)
