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
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import track

from simulation.coverage import RARE_STATES, Coverage
from simulation.engine.run import RunReport, run
from simulation.engine.scenario import draw_scenario
from simulation.engine.shrink import explain
from simulation.faults import FAULTS

ROOT = Path(__file__).parents[2]
PROGRESS_FILE = ROOT / ".cache/soak.json"
CHUNK = 50


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
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def load(code: str) -> Coverage:
    """Return the saved coverage of exactly this code, or an empty one."""
    if not PROGRESS_FILE.exists():
        return Coverage()
    saved = json.loads(PROGRESS_FILE.read_text("utf-8"))
    if saved.pop("code") != code:
        return Coverage()
    counts = {name: Counter(saved.pop(name)) for name in ("injected", "observed")}
    return Coverage(**saved, **counts)


def save(code: str, coverage: Coverage) -> None:
    PROGRESS_FILE.parent.mkdir(exist_ok=True)
    temporary = PROGRESS_FILE.with_suffix(".new")
    temporary.write_text(json.dumps({"code": code, **vars(coverage)}), "utf-8")
    temporary.replace(PROGRESS_FILE)


def describe(coverage: Coverage) -> str:
    """Return how often each fault was injected and each rare state reached."""
    counts = {"seeds": coverage.runs, "port calls": coverage.calls}
    for number, fault in sorted(FAULTS.items()):
        counts[f"{number} {fault.title}"] = coverage.injected[str(number)]
    counts |= {state: coverage.observed[state] for state in RARE_STATES}
    return "\n".join(f"{count:>13,}  {name}" for name, count in counts.items())


def _ignore_interrupt() -> None:
    """Let a worker end with its pool, not by Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def soak(coverage: Coverage, seeds: int, code: str) -> RunReport | None:
    """Run the seeds that are left, and save after each chunk; returns a failed run."""
    firsts = range(coverage.runs // CHUNK * CHUNK, seeds, CHUNK)
    with ProcessPoolExecutor(os.cpu_count(), initializer=_ignore_interrupt) as pool:
        try:
            results = pool.map(run_chunk, firsts)
            bar = track(results, "seeds", total=len(firsts), console=Console())
            for chunk, failed in bar:
                if failed is not None:
                    return failed
                coverage.merge(chunk)
                save(code, coverage)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return None


def main() -> int:
    """Run the soak; returns 1 on a violation, or if a fault or state never occurred."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("seeds", type=int, nargs="?", default=20_000)
    seeds, code = parser.parse_args().seeds, code_digest()
    coverage = load(code)
    for number in (signal.SIGINT, signal.SIGTERM):  # a background job ignores SIGINT
        signal.signal(number, signal.default_int_handler)
    try:
        failed = soak(coverage, seeds, code)
    except KeyboardInterrupt:
        sys.stdout.write("Stopped. Run the same command to resume.\n")
        return 130
    if failed is not None:
        sys.stdout.write(explain(failed) + "\n")
        return 1
    missing = coverage.missing()
    sys.stdout.write(describe(coverage) + "\n")
    sys.stdout.write("".join(f"Never occurred: {each}\n" for each in missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
