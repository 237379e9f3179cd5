"""`make soak SEEDS=200000`: run seed after seed on all cores, resumably.

The progress is kept in `.cache/soak.json` for exactly this code: an interrupted soak
resumes, and changed code starts at seed 0.
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

from simulation.coverage import RARE_STATES, Coverage
from simulation.engine.run import RunReport, run
from simulation.engine.scenario import draw_scenario
from simulation.engine.shrink import explain
from simulation.faults import FAULTS

ROOT = Path(__file__).parents[2]
PROGRESS_FILE = ROOT / ".cache/soak.json"
CHUNK = 50
MAX_QUEUED_CHUNKS = 8


def run_chunk(first: int) -> tuple[Coverage, RunReport | None]:
    """Run a chunk of seeds, up to the first violation."""
    coverage = Coverage()
    for seed in range(first, first + CHUNK):
        report = run(draw_scenario(seed))
        coverage.add(report)
        if report.violation is not None:
            return coverage, report
    return coverage, None


def code_digest() -> str:
    """Hash the code under test: the service's and the simulation's."""
    folders = (ROOT / "layers/service/python/kycourier", ROOT / "tests")
    files = sorted(file for folder in folders for file in folder.rglob("*.py"))
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.read_bytes())
    return whole.hexdigest()


class SoakProgress:
    """The coverage so far, saved after every chunk."""

    def __init__(self, code: str) -> None:
        self.code, self.coverage, self.seconds = code, Coverage(), 0.0
        if PROGRESS_FILE.exists():
            saved = json.loads(PROGRESS_FILE.read_text("utf-8"))
            if saved["code"] == code:
                self.seconds = saved["seconds"]
                self.coverage = Coverage(
                    saved["runs"],
                    saved["calls"],
                    Counter(saved["injected"]),
                    Counter(saved["observed"]),
                )

    def save(self) -> None:
        PROGRESS_FILE.parent.mkdir(exist_ok=True)
        values = {
            "code": self.code,
            "seconds": self.seconds,
            "runs": self.coverage.runs,
            "calls": self.coverage.calls,
            "injected": self.coverage.injected,
            "observed": self.coverage.observed,
        }
        temporary = PROGRESS_FILE.with_suffix(".new")
        temporary.write_text(json.dumps(values), "utf-8")
        temporary.replace(PROGRESS_FILE)

    def show(self, console: Console) -> None:
        """Print how often each fault was injected and each rare state reached."""
        coverage = self.coverage
        rate = coverage.runs / max(self.seconds, 0.001)
        table = Table(title="Soak", title_justify="left", width=78)
        table.add_column("fault or state")
        table.add_column("runs", justify="right")
        table.add_row("seeds", f"{coverage.runs:,}")
        table.add_row("seeds per second", f"{rate:.0f}")
        table.add_row("port calls", f"{coverage.calls:,}", end_section=True)
        for number, fault in sorted(FAULTS.items()):
            count = coverage.injected[str(number)]
            table.add_row(f"{number} {fault.title}", f"{count:,}")
        table.add_section()
        for state in RARE_STATES:
            table.add_row(state.replace("_", " "), f"{coverage.observed[state]:,}")
        console.print(table)


def _ignore_interrupt() -> None:
    """Let a worker end with its pool, not by Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _run_chunks(
    pool: ProcessPoolExecutor, firsts: list[int]
) -> Iterator[tuple[Coverage, RunReport | None]]:
    """Yield the results of all chunks in order, with few of them queued."""
    left = iter(firsts)
    queued = []
    while True:
        while len(queued) < MAX_QUEUED_CHUNKS:
            if (first := next(left, None)) is None:
                break
            queued.append(pool.submit(run_chunk, first))
        if not queued:
            return
        yield queued.pop(0).result()


def _soak(
    progress: SoakProgress, seeds: int, console: Console
) -> tuple[RunReport | None, bool]:
    """Run the seeds that are left; returns a failed run, and whether it was stopped."""
    firsts = list(range(progress.coverage.runs // CHUNK * CHUNK, seeds, CHUNK))
    columns = ("seeds", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        Progress(*columns, console=console) as bars,
        ProcessPoolExecutor(os.cpu_count(), initializer=_ignore_interrupt) as pool,
    ):
        bar = bars.add_task("", total=seeds, completed=progress.coverage.runs)
        began = time.monotonic()
        try:
            for coverage, failed in _run_chunks(pool, firsts):
                now = time.monotonic()
                progress.seconds, began = progress.seconds + now - began, now
                if failed is not None:
                    pool.shutdown(cancel_futures=True)
                    return failed, False
                progress.coverage.merge(coverage)
                progress.save()
                bars.update(bar, completed=progress.coverage.runs)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            return None, True
    return None, False


def main() -> int:
    """Run the soak; returns 1 on a violation, or if a fault or state never occurred."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("seeds", type=int, nargs="?", default=20_000)
    seeds = parser.parse_args().seeds
    console, progress = Console(), SoakProgress(code_digest())
    for number in (signal.SIGINT, signal.SIGTERM):  # a background job ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    failed, stopped = _soak(progress, seeds, console)
    if stopped:
        console.print("Stopped. Run the same command to resume.")
        return 130
    if failed is not None:
        sys.stdout.write(explain(failed) + "\n")
        return 1
    progress.show(console)
    missing = progress.coverage.missing()
    if missing:
        console.print("Never occurred: " + ", ".join(missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
