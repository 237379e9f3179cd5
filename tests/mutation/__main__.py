"""Mutation testing of the decision core: `make mutation`, or with modules' names.

Exits with 1 when a mutant lives that is not listed with a reason why it changes
nothing, or when a listed one is killed or gone.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.toolbox import ROOT, python_tool
from mutation.attempts import attempt
from mutation.verdict import Mutant, Verdict, read_reasons

MODULES = (
    *("signing", "retry", "ticket", "card", "photos"),
    *("outcomes", "brake", "order", "decision"),
)
_ALSO = {
    "ticket": ["wire"],
    "brake": ["reply"],
    "order": ["order_changes"],
    "decision": ["decision_waits"],
}
_CORE = ROOT / "layers/service/python/kycourier/core"
_HERE = Path(__file__).parent
_MAKER_SECONDS = 600


def suites_of(module: str) -> tuple[Sequence[str], Sequence[str]]:
    """Give the module's own tests, then the stories'."""
    own = (module, "values", *_ALSO.get(module, ()))
    return [f"tests/core/test_{name}.py" for name in own], ["tests/usecases"]


def make_mutants(modules: Sequence[str]) -> Iterator[Mutant]:
    """Let mutmut make the mutants, in its own environment."""
    maker = [python_tool("mutmut") / "python", _HERE / "make_mutants.py"]
    for module in modules:
        made = subprocess.run(
            [*maker, _CORE / f"{module}.py"],
            check=True,
            stdout=subprocess.PIPE,
            timeout=_MAKER_SECONDS,
        )
        for line in made.stdout.splitlines():
            yield msgspec.json.decode(line, type=Mutant)


def unchanged(module: str) -> Mutant:
    """Give a module as it is."""
    text = (_CORE / f"{module}.py").read_text(encoding="utf-8")
    return Mutant(module=module, within="", was="", becomes="", text=text)


def run(modules: Sequence[str], listed: Path) -> int:
    """Try every mutant of the modules; give the exit status."""
    began = time.monotonic()
    reasons = read_reasons(listed.read_bytes())
    suites = {module: suites_of(module) for module in modules}
    for mutant, killed in attempt(map(unchanged, modules), suites):
        if killed:
            print(f"The tests of {mutant.module} fail on the code as it is.")
            return 1
    fates = []
    for fate in attempt(make_mutants(modules), suites):
        fates.append(fate)
        if sys.stdout.isatty():
            print(f"\r{fate[0].module}: mutant {len(fates)}   ", end="")
    verdict = Verdict(fates, reasons)
    print(f"\r{len(fates)} mutants in {time.monotonic() - began:.0f} s")
    print(*verdict.lines(), sep="\n")
    return 0 if verdict.holds else 1


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="modules of the core; all if none")
    parser.add_argument("--list", type=Path, default=_HERE / "equivalent.toml")
    given = parser.parse_args()
    return run(given.modules or MODULES, given.list)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ToolMissing as missing:
        sys.exit(str(missing))
