"""The same seed gives the same trace, byte for byte, in any process (I15)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.engine.run import run
from simulation.engine.scenario import draw_scenario

TESTS = Path(__file__).parents[1]
SEEDS = (3, 5, 12, 40, 77, 91)
PRINT_DIGESTS = f"""
from simulation.engine.run import run
from simulation.engine.scenario import draw_scenario
for seed in {SEEDS}:
    print(run(draw_scenario(seed)).digest)
"""


def digests_with(hash_seed):
    environ = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONHASHSEED": hash_seed}  # noqa: TID251 - a child's
    done = subprocess.run(
        [sys.executable, "-c", PRINT_DIGESTS],
        env=environ, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.slow
def test_seed_gives_the_same_trace_in_processes_with_different_hash_seeds():
    here = [run(draw_scenario(seed)).digest for seed in SEEDS]
    assert digests_with("1") == digests_with("2") == here


def test_different_seeds_give_different_traces():
    assert len({run(draw_scenario(seed)).digest for seed in SEEDS}) == len(SEEDS)
