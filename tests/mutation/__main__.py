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

TESTS = {  # of a module of the core: its own tests, by paths in tests/core
    "wire.signature": ["wire/test_signature.py"],
    "retry": ["test_retry.py"],
    "tickets.pair": ["tickets/test_pair.py", "test_versioned.py"],
    "documents.bank_card": [
        "documents/test_bank_card.py",
        "documents/test_bank_card_replies.py",
    ],
    "documents.bank_card_numbers": ["documents/test_bank_card.py"],
    "documents.id_card_numbers": ["documents/test_id_card.py"],
    "documents.face": ["documents/test_face.py"],
    "documents.printed_dates": [
        "documents/test_printed_dates.py",
        "documents/test_id_card.py",
    ],
    "documents.photos": ["documents/test_photos.py"],
    "orders.outcomes": ["orders/test_outcomes.py"],
    "circuit_breaker": [
        "test_circuit_breaker.py",
        "wire/test_responses.py",
        "test_versioned.py",
    ],
    "orders.state_machine": ["orders/test_state_machine.py"],
    "orders.follow_up": ["orders/test_state_machine.py"],
    "orders.decisions": ["orders/test_decisions.py"],
}
_CORE = "kycourier.core."
_SOURCES = ROOT / "layers/service/python"
_HERE = Path(__file__).parent
_MAKER_SECONDS = 600


def suites_of(module: str) -> tuple[Sequence[str], Sequence[str]]:
    """Return the module's own tests, then those of the use cases."""
    own = [*TESTS[module.removeprefix(_CORE)], "test_values.py"]
    return [f"tests/core/{path}" for path in own], ["tests/usecases"]


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


def run(modules: Sequence[str]) -> int:
    """Try every mutant of the modules; return the exit status."""
    began = time.monotonic()
    reasons = read_reasons((_HERE / "equivalent.toml").read_bytes())
    suites = {module: suites_of(module) for module in modules}
    unchanged = [
        Mutant(module=each, text=path_of(each).read_text()) for each in modules
    ]
    for mutant, is_killed in execute(unchanged, suites):
        if is_killed:
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
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    modules = [f"{_CORE}{name}" for name in TESTS]
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(modules))
    chosen = parser.parse_args().modules or modules
    if unknown := set(chosen) - set(modules):
        parser.error(f"no tests are listed for {', '.join(sorted(unknown))}")
    return run(chosen)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ToolUnavailableError as missing:
        sys.exit(str(missing))
