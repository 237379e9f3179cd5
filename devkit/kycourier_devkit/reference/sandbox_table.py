"""Generates docs/reference/sandbox.md from the sandbox's documents and magic orders."""

import sys
from pathlib import Path

from kycourier_devkit.sandbox.behaviours.magic_orders import list_orders
from kycourier_devkit.sandbox.results.registry import DOCUMENTS

PAGE = Path(__file__).parents[3] / "docs/reference/sandbox.md"
_INTRODUCTION = """# The sandbox

An emulator of the KYC platform on 127.0.0.1: `kycourier sandbox`, or `Sandbox` of
`kycourier_devkit.sandbox` in tests. Every name, number, address and picture is made up
from the order number: ID numbers start with 000000, places are in 测试省, pictures are
drawn and say SPECIMEN. This page is generated: run
`python -m kycourier_devkit.reference.sandbox_table`.

## Documents

| Document | Query | Photos and videos |
|---|---|---|
"""
_ORDERS = """
Queries are checked as the platform's pages describe them: method, every parameter, its
length, the signature of the five values. A wrong one gets the code of the document's
list. The face's query is JSON, with the order number in URL and body.

## Order numbers

The order number selects the behaviour: a name of the table, its number N if it has one,
and optionally `x` with a suffix that makes it unique, as in `late3x001`. For any other
order number, and for a document that the name does not concern, the result is complete
at once. An order is counted apart for each document.

| Order number | Document | Behaviour |
|---|---|---|
"""


def build_page() -> str:
    """Builds the page."""
    documents = "".join(
        f"| {each.title} | `{each.method} {each.path}` | {', '.join(each.files)} |\n"
        for each in DOCUMENTS
    )
    orders = "".join(
        f"| `{row.spelling}` | {row.titles} | {row.help} |\n" for row in list_orders()
    )
    return _INTRODUCTION + documents + _ORDERS + orders


def main() -> int:
    """Writes the page."""
    PAGE.write_text(build_page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
