"""`python -m bench`: measure all goals in one run and report which were missed."""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from bench.environment.bench_environment import BenchEnvironment
from bench.errors import BenchError
from bench.goals.cold_start.g03_start_counts import save_baseline
from bench.goals.goal import Goal, find_goals
from bench.measure.emulator_limits import measure_limits
from bench.measure.figures import GoalReport
from bench.measure.machine import current_load, describe_machine, list_versions
from bench.report.formatting import summary_line
from bench.report.page import write_page
from bench.report.results import FILE, Results, write_results
from bench.report.terminal import Terminal
from bench.scale.page import write_page as write_scale_page
from kycourier_devkit.errors import DevkitError

MISSED, USAGE, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str], *, goals: Sequence[Goal] | None = None) -> int:
    """Measures; returns the exit status: 0 when every goal is met."""
    options = _parse(arguments)
    terminal = Terminal()
    goals = find_goals(options.only) if goals is None else goals
    if not goals:
        terminal.problem(f"bench: no such goal: {options.only}")
        return USAGE
    try:
        with BenchEnvironment(
            packages=options.packages, is_smoke=options.smoke
        ) as environment:
            reports = _measure_all(environment, goals, terminal, options)
    except (BenchError, DevkitError) as error:
        terminal.problem(f"bench: {error}")
        return USAGE
    except KeyboardInterrupt:
        terminal.problem("bench: interrupted")
        return INTERRUPTED
    terminal.show(reports)
    if options.smoke:
        terminal.line("A short run: its figures are not meaningful.")
    terminal.line(summary_line(reports))
    return 0 if options.smoke or all(each.is_met for each in reports) else MISSED


def _measure_all(
    environment: BenchEnvironment,
    goals: Sequence[Goal],
    terminal: Terminal,
    options: argparse.Namespace,
) -> list[GoalReport]:
    started, load = time.monotonic(), current_load()
    now = datetime.now(timezone.utc)  # noqa: TID251 - the date of a run
    environment.on_total, environment.on_round = terminal.set_total, terminal.advance
    reports = []
    with terminal.progress(len(goals)):
        for goal in goals:
            terminal.start_goal(f"{goal.number} {goal.title}")
            figures, notes = goal.measure(environment)
            reports.append(
                GoalReport(
                    goal=goal.number, title=goal.title, figures=figures, notes=notes
                )
            )
            terminal.end_goal()
        if options.start_counts and environment.start_counts:
            save_baseline(environment.start_counts)
        if options.keep:
            terminal.start_goal("limits of the emulators")
            results = Results(
                date=f"{now:%Y-%m-%d %H:%M} UTC",
                machine=describe_machine(),
                load_at_start=load,
                versions=list_versions(),
                emulators=measure_limits(environment),
                seconds=round(time.monotonic() - started),
                reports=reports,
                remarks=options.remark,
            )
            write_results(results, options.keep)
            if options.keep.resolve() == FILE:
                write_page(results)
                write_scale_page()
    return reports


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", metavar="G5,G6", help="measure these goals only")
    parser.add_argument(
        "--smoke", action="store_true", help="a short run that takes a minute"
    )
    parser.add_argument(
        "--packages", type=Path, metavar="DIR", help="use these built zips"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="store results there; bench/results.json updates docs/performance.md",
    )
    parser.add_argument(
        "--remark", action="append", default=[], help="a sentence to store with them"
    )
    parser.add_argument(
        "--start-counts",
        action="store_true",
        help="make G3's counts the new baseline",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
