"""`python -m bench`: measure every goal in one run, and say which fell short."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from bench import page
from bench.bare import find_limits
from bench.figures import Report
from bench.goal import Goal, find_goals
from bench.goals.g03_start_counts import BASELINE
from bench.machine import describe_machine, list_versions, load_now
from bench.processes import BenchFailed
from bench.results import FILE, Results, last_line, write_results
from bench.scale.page import renew as renew_scale
from bench.screen import Screen
from bench.stage import Stage
from kycourier_devkit.errors import DevkitError

SHORT, USAGE, STOPPED = 1, 2, 130


def main(arguments: Sequence[str], *, goals: Sequence[Goal] | None = None) -> int:
    """Measure; give the exit status: 0 when every goal is held."""
    given = _parse(arguments)
    screen = Screen()
    goals = find_goals(given.only) if goals is None else goals
    if not goals:
        screen.problem("bench: no such goal")
        return USAGE
    try:
        with Stage(packages=given.packages, is_smoke=given.smoke) as stage:
            reports = _measure_all(stage, goals, screen, given)
    except (BenchFailed, DevkitError) as error:
        screen.problem(f"bench: {error}")
        return USAGE
    except KeyboardInterrupt:
        screen.problem("bench: stopped")
        return STOPPED
    screen.show(reports)
    if given.smoke:
        screen.line("A short run: its figures decide nothing.")
    screen.line(last_line(reports))
    return 0 if given.smoke or all(report.holds for report in reports) else SHORT


def _measure_all(
    stage: Stage, goals: Sequence[Goal], screen: Screen, given: argparse.Namespace
) -> list[Report]:
    begun, load = time.monotonic(), load_now()
    now = datetime.now(timezone.utc)  # noqa: TID251 - the date of a run
    stage.expect, stage.advance = screen.expect, screen.advance
    reports = []
    with screen.progress(len(goals)):
        for goal in goals:
            screen.begin(f"{goal.number} {goal.title}")
            figures, notes = goal.measure(stage)
            reports.append(
                Report(goal=goal.number, title=goal.title, figures=figures, notes=notes)
            )
            screen.end_goal()
        if given.start_counts:
            _keep_start_counts(stage)
        if given.keep:
            screen.begin("what the stand-ins can do")
            results = Results(
                date=f"{now:%Y-%m-%d %H:%M} UTC",
                machine=describe_machine(),
                load_at_start=load,
                versions=list_versions(),
                stand_ins=find_limits(stage),
                seconds=round(time.monotonic() - begun),
                reports=reports,
                remarks=given.remark,
            )
            write_results(results, given.keep)
            if given.keep.resolve() == FILE:
                page.renew(results)
                renew_scale()
    return reports


def _keep_start_counts(stage: Stage) -> None:
    text = json.dumps(stage.records["start_counts"], indent=1)
    BASELINE.write_text(f"{text}\n", "utf-8")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", metavar="G5,G6", help="these goals alone")
    parser.add_argument(
        "--smoke", action="store_true", help="a minute; decides nothing"
    )
    parser.add_argument(
        "--packages", type=Path, metavar="DIR", help="zips that are built already"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="keep results there; bench/results.json renews docs/performance.md",
    )
    parser.add_argument(
        "--remark", action="append", default=[], help="a sentence to keep with them"
    )
    parser.add_argument(
        "--start-counts",
        action="store_true",
        help="take G3's counts as those to keep to",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
