"""`python -m simulation SEED …`: run one scenario again and tell what came of it."""

import argparse
import sys

from simulation.faults import FAULTS
from simulation.run import Scenario, run
from simulation.scenarios import scenario_of
from simulation.shrink import explain


def numbers(text: str) -> tuple[int, ...]:
    """Read faults' numbers. Raises ValueError."""
    faults = tuple(int(each) for each in text.split(","))
    if not set(faults) <= FAULTS.keys():
        raise ValueError(text)
    return faults


def main() -> int:
    """Run the scenario that the arguments name; 1 when something was violated."""
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument(
        "--faults", type=numbers, default=(), help="as 7,45; else the seed's own"
    )
    parser.add_argument("--orders", type=int, default=3)
    parser.add_argument("--duplicates", type=int, default=0)
    parser.add_argument("--crash-after", type=int, help="the port call that kills")
    parser.add_argument("--reopen", action="store_true", help="reopen what was parked")
    parser.add_argument(
        "--trace", action="store_true", help="print every call and fact"
    )
    given = parser.parse_args()
    scenario = scenario_of(given.seed)
    if given.faults or given.crash_after is not None:
        scenario = Scenario(
            given.seed,
            given.faults,
            orders=given.orders,
            duplicates=given.duplicates,
            crash_after=given.crash_after,
            reopens=given.reopen,
        )
    for number in scenario.faults:
        sys.stdout.write(f"fault {number}: {FAULTS[number].words}\n")
    report = run(scenario)
    lines = report.trace if given.trace else ()
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    if report.violation is not None:
        sys.stdout.write(explain(report) + "\n")
        return 1
    ends = ", ".join(f"{name} {state}" for name, state in report.ends.items())
    sys.stdout.write(f"held: {ends}\n")
    sys.stdout.write(
        f"{report.calls} calls in {report.seconds:.0f} simulated seconds\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
