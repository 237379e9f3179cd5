"""`make mutants`: plants each bug and leak, and shows which test catches it.

Exits with 1 if one survives, cannot be planted or is caught in another way than
expected, or if the tests fail without any bug.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from typing import TypeVar

from mutants.catalogue import Plant, load_plants
from mutants.runner import Verdict, find_failure_without_plants, try_plant

SIDE_BY_SIDE = 2
INTERRUPTED = 130
_TAIL_LINES = 25

T = TypeVar("T")
R = TypeVar("R")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen plants; return the exit status."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", default="*", help="a name or a pattern of names")
    parser.add_argument("--why", action="store_true", help="show the failing tests")
    options = parser.parse_args(arguments)
    plants = load_plants().values()
    chosen = [plant for plant in plants if fnmatch(plant.name, options.only)]
    if not chosen:
        print(f"No bug or leak is named {options.only}.")
        return 1
    try:
        return run(chosen, why=options.why)
    except KeyboardInterrupt:
        print("Interrupted.")
        return INTERRUPTED


def run(plants: list[Plant], *, why: bool) -> int:
    """Try the plants side by side, after the same tests without any."""
    selections = sorted({plant.tests for plant in plants})
    if failures := [
        *filter(None, side_by_side(find_failure_without_plants, selections))
    ]:
        print("Without any planted bug, tests fail:", *failures, sep="\n")
        return 1
    caught = 0
    for verdict in side_by_side(try_plant, plants):
        print(*describe(verdict, why=why), sep="\n", flush=True)
        caught += not verdict.problem
    print(f"{caught} of {len(plants)} caught")
    return int(caught < len(plants))


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> Iterable[R]:
    """Yield the results in order; begin nothing more after an interrupt."""
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(cancel_futures=True)


def describe(verdict: Verdict, *, why: bool) -> Iterable[str]:
    """Return the lines of the table for one plant."""
    plant, problem = verdict.plant, verdict.problem
    yield f"{plant.breaks:16} {plant.name}"
    yield f"{'':16} {f'PROBLEM: {problem}' if problem else verdict.caught_by}"
    if why:
        yield f"{'':16} {plant.description}"
        yield from verdict.output.strip().splitlines()[-_TAIL_LINES:]


if __name__ == "__main__":
    sys.exit(main())
