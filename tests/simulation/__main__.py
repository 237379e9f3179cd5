"""`python -m simulation SEED …`: run one scenario again and print its result."""

import argparse
import sys

from simulation.engine.run import run
from simulation.engine.scenario import Scenario, draw_scenario
from simulation.engine.shrink import explain
from simulation.faults import FAULTS


def fault_numbers(text: str) -> tuple[int, ...]:
    """Parse numbers of faults, such as `7,45`. Raises ValueError."""
    faults = tuple(int(each) for each in text.split(","))
    if not set(faults) <= FAULTS.keys():
        raise ValueError(text)
    return faults


def main() -> int:
    """Run the scenario of the arguments; returns 1 if an invariant was violated."""
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument(
        "--faults", type=fault_numbers, default=(), help="7,45; default: the seed's own"
    )
    parser.add_argument("--orders", type=int, default=3)
    parser.add_argument("--duplicates", type=int, default=0)
    parser.add_argument(
        "--crash-after", type=int, help="number of the port call after which to crash"
    )
    parser.add_argument("--reopen", action="store_true", help="reopen parked orders")
    parser.add_argument(
        "--trace", action="store_true", help="print every port call and log event"
    )
    options = parser.parse_args()
    scenario = draw_scenario(options.seed)
    if options.faults or options.crash_after is not None:
        scenario = Scenario(
            options.seed,
            options.faults,
            orders=options.orders,
            duplicates=options.duplicates,
            crash_after=options.crash_after,
            reopens=options.reopen,
        )
    for number in scenario.faults:
        sys.stdout.write(f"fault {number}: {FAULTS[number].title}\n")
    report = run(scenario)
    lines = report.trace if options.trace else ()
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    if report.violation is not None:
        sys.stdout.write(explain(report) + "\n")
        return 1
    ends = ", ".join(f"{name} {state}" for name, state in report.ends.items())
    sys.stdout.write(f"no violation: {ends}\n")
    sys.stdout.write(
        f"{report.calls} calls in {report.seconds:.0f} simulated seconds\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
