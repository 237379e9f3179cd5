"""`make mutants`: plant each bug and each leak in a copy, and show who catches it.

Ends with 1 when one survives, does not apply, is caught by other tests than those
named, or when the tests named fail without it.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from fnmatch import fnmatch
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from mutants.catalogue import ROOT, Mutant, read_catalogue
from mutants.copies import copy_tree
from mutants.runs import Runs, Unusable
from mutants.trial import Trial, Verdict

SIDE_BY_SIDE = 2
WIDTH = 80
BASELINE_SECONDS = 600.0
INTERRUPTED = 130  # as shells say it
_SHOWN = 600  # characters of what a test said


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; give the exit status."""
    options = _parse(arguments)
    console = Console(highlight=False, markup=False, emoji=False, width=WIDTH)
    mutants = [
        mutant
        for mutant in read_catalogue(options.catalogue)
        if fnmatch(mutant.name, options.only)
    ]
    if not mutants:
        console.print(f"No bug or leak is called {options.only}.")
        return 1
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="kycourier-mutants-") as folder:
        try:
            verdicts = _try_all(mutants, Path(folder), console, options.suite)
        except Unusable as problem:
            console.print(f"Without any change, the tests named fail: {problem}")
            return 1
        except KeyboardInterrupt:
            console.print("Ended, with all that ran.")
            return INTERRUPTED
    _show(verdicts, console, why=options.why)
    return int(any(verdict.problem for verdict in verdicts))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument(
        "--only", default="*", metavar="NAME", help="one bug or leak, or a pattern"
    )
    parser.add_argument("--why", action="store_true", help="show what the test said")
    parser.add_argument(
        "--catalogue",
        type=Path,
        default=Path(__file__).parent,
        help="the folder that holds bugs/ and leaks/",
    )
    parser.add_argument(
        "--suite",
        default="tests",
        metavar="FOLDER",
        help="whose fast tests are run when those named catch nothing",
    )
    return parser.parse_args(arguments)


def _try_all(
    mutants: list[Mutant], folder: Path, console: Console, suite: str
) -> list[Verdict]:
    """Try all, two side by side, in copies of one copy. Raises Unusable."""
    base, runs = folder / "base", Runs()
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found: dict[str, Verdict] = {}
    try:
        with Progress(
            *columns,
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ) as progress:
            task = progress.add_task("Without any change", total=len(mutants))
            copy_tree(ROOT, base)
            _prove_baseline(mutants, base, runs)
            progress.update(task, description="Planting")
            trials = [
                Trial(mutant, folder / str(number), runs, suite=suite)
                for number, mutant in enumerate(mutants)
            ]
            futures = [pool.submit(trial.judge, base) for trial in trials]
            for future in as_completed(futures):
                verdict = future.result()
                found[verdict.mutant.name] = verdict
                progress.advance(task)
                if verdict.problem or not console.is_terminal:
                    console.print(_headline(verdict))
    finally:
        runs.end()
        pool.shutdown(cancel_futures=True)
    return [found[mutant.name] for mutant in mutants]


def _prove_baseline(mutants: Iterable[Mutant], base: Path, runs: Runs) -> None:
    """Let all tests that are named pass in a copy without a change."""
    tests = {
        f"tests/{test}"
        for mutant in mutants
        for test in (*mutant.planted.caught_by, *mutant.planted.seeds)
    }
    failed = runs.run(
        base, "-n2", "--no-skips", *sorted(tests), seconds=BASELINE_SECONDS
    )
    if failed is not None:
        raise Unusable(f"{failed.test}: {failed.why[:_SHOWN]}")


def _headline(verdict: Verdict) -> Text:
    told = verdict.problem or "caught"
    line = Text(told, "red" if verdict.problem else "green")
    return line.append(f"  {verdict.mutant.name}", "default")


def _show(verdicts: list[Verdict], console: Console, *, why: bool) -> None:
    for kind in dict.fromkeys(verdict.mutant.kind for verdict in verdicts):
        those = [verdict for verdict in verdicts if verdict.mutant.kind == kind]
        console.print(_table(kind, those))
    for verdict in verdicts if why else ():
        said = verdict.caught.why[:_SHOWN] if verdict.caught else verdict.problem
        console.print(f"\n{verdict.mutant.name}: {verdict.mutant.planted.says}\n{said}")
    caught = sum(not verdict.problem for verdict in verdicts)
    console.print(f"\n{caught} of {len(verdicts)} caught by the tests named for them.")


def _table(kind: str, verdicts: list[Verdict]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("Breaks", width=9, overflow="fold")
    table.add_column(f"{kind.capitalize()}, and who caught it", overflow="fold")
    for each in verdicts:
        told = Text(each.mutant.name, "bold")
        if each.problem:
            told.append(f"\n{each.problem}", "not bold red")
        for found in (each.caught, each.by_seed):
            told.append(f"\n{found.test}" if found else "", "not bold")
        table.add_row(Text(each.mutant.planted.breaks), told)
    return table


if __name__ == "__main__":
    sys.exit(main())
