"""`make soak SEEDS=200000`: seed after seed on all cores; may be stopped and gone on.

What was run is kept for this very code, so that a stopped soak goes on where it was.
"""

import argparse
import hashlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from simulation.faults import FAULTS
from simulation.run import Report, run
from simulation.scenarios import scenario_of
from simulation.shrink import explain
from simulation.tally import RARE, Tally

ROOT = Path(__file__).parents[2]
KEPT = ROOT / ".cache/soak.json"
CHUNK = 50


def soak(first: int) -> tuple[Tally, Report | None]:
    """Run a chunk of seeds, up to the first violation."""
    tally = Tally()
    for seed in range(first, first + CHUNK):
        report = run(scenario_of(seed))
        tally.add(report)
        if report.violation is not None:
            return tally, report
    return tally, None


def digest() -> str:
    """Name the code that is tried: the service's and the simulation's."""
    folders = (ROOT / "layers/service/python/kycourier", ROOT / "tests")
    files = sorted(file for folder in folders for file in folder.rglob("*.py"))
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.read_bytes())
    return whole.hexdigest()


class Kept:
    """The tally so far, written after every chunk."""

    def __init__(self, code: str) -> None:
        self.code, self.tally, self.seconds = code, Tally(), 0.0
        if KEPT.exists():
            kept = json.loads(KEPT.read_text("utf-8"))
            if kept["code"] == code:
                self.seconds = kept["seconds"]
                self.tally = Tally(
                    kept["runs"],
                    kept["calls"],
                    Counter(kept["met"]),
                    Counter(kept["seen"]),
                )

    def save(self) -> None:
        KEPT.parent.mkdir(exist_ok=True)
        written = {
            "code": self.code,
            "seconds": self.seconds,
            "runs": self.tally.runs,
            "calls": self.tally.calls,
            "met": self.tally.met,
            "seen": self.tally.seen,
        }
        aside = KEPT.with_suffix(".new")
        aside.write_text(json.dumps(written), "utf-8")
        aside.replace(KEPT)


def show(kept: Kept, console: Console) -> None:
    """Print what was met and seen."""
    tally, rate = kept.tally, kept.tally.runs / max(kept.seconds, 0.001)
    table = Table(title="Soak", title_justify="left", width=78)
    table.add_column("what")
    table.add_column("runs", justify="right")
    table.add_row("seeds", f"{tally.runs:,}")
    table.add_row("seeds per second", f"{rate:.0f}")
    table.add_row("port calls", f"{tally.calls:,}", end_section=True)
    for number, fault in sorted(FAULTS.items()):
        table.add_row(f"{number} {fault.words}", f"{tally.met[str(number)]:,}")
    table.add_section()
    for state in RARE:
        table.add_row(state.replace("_", " "), f"{tally.seen[state]:,}")
    console.print(table)


def _leave_to_parent() -> None:
    """Let a worker end with its pool, not by Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _chunks(pool: ProcessPoolExecutor, firsts: list[int]) -> Iterator[object]:
    """Give what each chunk came to, with few chunks ahead."""
    ahead = [pool.submit(soak, first) for first in firsts[:8]]
    for first in [*firsts[8:], None, None, None, None, None, None, None, None]:
        if not ahead:
            return
        yield ahead.pop(0).result()
        if first is not None:
            ahead.append(pool.submit(soak, first))


def main() -> int:
    """Run the seeds that are left; 1 at a violation, or where something never came."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("seeds", type=int, nargs="?", default=20_000)
    seeds = parser.parse_args().seeds
    console, kept = Console(), Kept(digest())
    firsts = list(range(kept.tally.runs // CHUNK * CHUNK, seeds, CHUNK))
    for told in (signal.SIGINT, signal.SIGTERM):  # in the background, too
        signal.signal(told, signal.default_int_handler)
    columns = ("seeds", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    failed: Report | None = None
    with (
        Progress(*columns, console=console) as progress,
        ProcessPoolExecutor(os.cpu_count(), initializer=_leave_to_parent) as pool,
    ):
        bar = progress.add_task("", total=seeds, completed=kept.tally.runs)
        began = time.monotonic()
        try:
            for tally, failed in _chunks(pool, firsts):
                now = time.monotonic()
                kept.seconds, began = kept.seconds + now - began, now
                if failed is not None:
                    break
                kept.tally.merge(tally)
                kept.save()
                progress.update(bar, completed=kept.tally.runs)
        except KeyboardInterrupt:
            progress.stop()
            console.print("Stopped; the same command goes on from here.")
            pool.shutdown(wait=False, cancel_futures=True)
            return 130
        pool.shutdown(cancel_futures=True)
    if failed is not None:
        sys.stdout.write(explain(failed) + "\n")
        return 1
    show(kept, console)
    missing = kept.tally.missing()
    if missing:
        console.print("Never happened: " + ", ".join(missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
