"""`make mutants`: plant each bug and each leak, and show who catches it.

Ends with 1 when one survives, does not apply, is caught by others than those named, or
when the tests named fail without it.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
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


def main(
    arguments: Sequence[str] | None = None, *, catalogue: list[Mutant] | None = None
) -> int:
    """Run; give the exit status."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, markup=False, emoji=False, width=WIDTH)
    known = read_catalogue() if catalogue is None else catalogue
    mutants = [each for each in known if options.only in {"", each.name}]
    if not mutants:
        console.print(f"No bug or leak is called {options.only}.")
        return 1
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="kycourier-mutants-") as folder:
        try:
            verdicts = _try_all(mutants, Path(folder), console)
        except Unusable as problem:
            console.print(f"Without any change, the tests named fail: {problem}")
            return 1
        except KeyboardInterrupt:
            console.print("Ended, with all that ran.")
            return 130
    _show(verdicts, console, why=options.why)
    return int(any(verdict.problem for verdict in verdicts))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", default="", help="the name of one bug or leak")
    parser.add_argument("--why", action="store_true", help="show what the test said")
    return parser


def _try_all(mutants: list[Mutant], folder: Path, console: Console) -> list[Verdict]:
    """Try all, two side by side, in copies of one copy. Raises Unusable."""
    base, runs = folder / "base", Runs()
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    found: dict[str, Verdict] = {}
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("Without any change", total=len(mutants))
            copy_tree(ROOT, base)
            _prove_baseline(mutants, base, runs)
            progress.update(task, description="Planting")
            futures = [
                pool.submit(Trial(mutant, folder / str(number), runs).judge, base)
                for number, mutant in enumerate(mutants)
            ]
            for future in as_completed(futures):
                verdict = future.result()
                found[verdict.mutant.name] = verdict
                progress.advance(task)
                if verdict.problem or not console.is_terminal:
                    progress.console.print(_headline(verdict))
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
        raise Unusable(f"{failed.test}: {failed.why}")


def _headline(verdict: Verdict) -> Text:
    style = "red" if verdict.problem else "green"
    line = Text(verdict.problem or "caught", style)
    return line.append(f"  {verdict.mutant.name}", "")


def _show(verdicts: list[Verdict], console: Console, *, why: bool) -> None:
    for kind in dict.fromkeys(verdict.mutant.kind for verdict in verdicts):
        those = [verdict for verdict in verdicts if verdict.mutant.kind == kind]
        console.print(_table(kind, those))
    if why:
        for verdict in verdicts:
            _explain(verdict, console)
    caught = sum(not verdict.problem for verdict in verdicts)
    console.print(f"{caught} of {len(verdicts)} caught by the tests named for them.")


def _table(kind: str, verdicts: list[Verdict]) -> Table:
    table = Table(kind.capitalize(), "Breaks", "Caught by", box=None, pad_edge=False)
    table.columns[0].width, table.columns[1].width = 26, 10
    for each in verdicts:
        tests = [found.test for found in (each.caught, each.by_seed) if found]
        lines = Text("\n").join(Text(test, overflow="fold") for test in tests)
        shown = Text(each.problem, "red").append("\n" if tests else "")
        cell = shown.append_text(lines) if each.problem else lines
        table.add_row(Text(each.mutant.name), Text(each.mutant.planted.breaks), cell)
    return table


def _explain(verdict: Verdict, console: Console) -> None:
    console.print(f"\n{verdict.mutant.name}: {verdict.mutant.planted.says}")
    if verdict.caught is not None:
        console.print(f"{verdict.caught.test}\n{verdict.caught.why[:600]}")


if __name__ == "__main__":
    sys.exit(main())
