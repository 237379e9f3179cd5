"""`make mutation`: changes the decision core in every small way that mutmut knows.

Exits with 1 if a mutant survives that `equivalent.toml` does not list, or if a listed
one is killed or no longer made.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.repository import ROOT
from kycourier_devkit.tool_envs import python_tool
from mutation.execution import execute
from mutation.report import Mutant, Report, read_reasons

VALUES, STORIES = "tests/core/test_values.py", "tests/usecases"
VERSIONED = "tests/core/test_versioned.py"
TESTS = {  # each module's own tests
    "kycourier.core.wire.signature": ["tests/core/wire/test_signature.py"],
    "kycourier.core.retry": ["tests/core/test_retry.py"],
    "kycourier.core.tickets.pair": [
        "tests/core/tickets/test_pair.py",
        VERSIONED,
    ],
    "kycourier.core.documents.bank_card": [
        "tests/core/documents/test_bank_card.py",
        "tests/core/documents/test_bank_card_replies.py",
    ],
    "kycourier.core.documents.photos": ["tests/core/documents/test_photos.py"],
    "kycourier.core.orders.outcomes": ["tests/core/orders/test_outcomes.py"],
    "kycourier.core.circuit_breaker": [
        "tests/core/test_circuit_breaker.py",
        "tests/core/wire/test_responses.py",
        VERSIONED,
    ],
    "kycourier.core.orders.state_machine": ["tests/core/orders/test_state_machine.py"],
    "kycourier.core.orders.decisions": ["tests/core/orders/test_decisions.py"],
}
_SOURCES = ROOT / "layers/service/python"
_HERE = Path(__file__).parent
_MAKER_SECONDS = 600


def suites_of(module: str) -> tuple[Sequence[str], Sequence[str]]:
    """Return the module's own tests, then those of the use cases."""
    return [*TESTS[module], VALUES], [STORIES]


def path_of(module: str) -> Path:
    """Return a module's file without importing it: a mutant is imported instead."""
    return _SOURCES.joinpath(*module.split(".")).with_suffix(".py")


def make_mutants(modules: Sequence[str]) -> Iterator[Mutant]:
    """Make the mutants in mutmut's own environment."""
    maker = [python_tool("mutmut") / "python", _HERE / "make_mutants.py"]
    for module in modules:
        made = subprocess.run(
            [*maker, module, path_of(module)],
            check=True,
            stdout=subprocess.PIPE,
            timeout=_MAKER_SECONDS,
        )
        for line in made.stdout.splitlines():
            yield msgspec.json.decode(line, type=Mutant)


def unchanged(module: str) -> Mutant:
    """Return a module as it is."""
    text = path_of(module).read_text(encoding="utf-8")
    return Mutant(module=module, within="", was="", becomes="", text=text)


def run(modules: Sequence[str], listed: Path) -> int:
    """Try every mutant of the modules; return the exit status."""
    began = time.monotonic()
    reasons = read_reasons(listed.read_bytes())
    suites = {module: suites_of(module) for module in modules}
    for mutant, killed in execute(map(unchanged, modules), suites):
        if killed:
            print(f"The tests of {mutant.module} fail without any mutant.")
            return 1
    outcomes = []
    for outcome in execute(make_mutants(modules), suites):
        outcomes.append(outcome)
        if sys.stdout.isatty():
            print(f"\r{outcome[0].module}: mutant {len(outcomes)}   ", end="")
    report = Report(outcomes, reasons)
    print(f"\r{len(outcomes)} mutants in {time.monotonic() - began:.0f} s")
    print(*report.lines(), sep="\n")
    return 0 if report.passes else 1


def main() -> int:
    """Parse the command line and run."""
    names = {module.rpartition(".")[2]: module for module in TESTS}
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(names))
    parser.add_argument("--list", type=Path, default=_HERE / "equivalent.toml")
    options = parser.parse_args()
    if unknown := set(options.modules) - names.keys():
        parser.error(f"no module of the core is named {', '.join(sorted(unknown))}")
    return run([names[name] for name in options.modules or names], options.list)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ToolUnavailableError as missing:
        sys.exit(str(missing))
