"""Measures built zips and keeps the tables of sizes in docs/packages.md.

`python -m kycourier_devkit.package.sizes` prints the tables of the zips in dist/;
`--write` puts them into the page.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from kycourier_devkit import repository
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.errors import DevkitError, UsageError
from kycourier_devkit.package.archive import BuiltZip, inspect_zip
from kycourier_devkit.package.clouds import CLOUDS, Cloud

PAGE = repository.ROOT / "docs/packages.md"
_MEGABYTE = 1_000_000


class TotalSize(Struct, frozen=True):
    """Bytes of all zips that a function is deployed with."""

    files: int
    zipped: int
    unzipped: int


def format_size(size: int) -> str:
    """Returns a number of bytes in megabytes."""
    return f"{size / _MEGABYTE:.2f} MB"


def total_size(
    cloud: Cloud, architecture: str, packages: Iterable[BuiltZip]
) -> TotalSize:
    """Adds up a function's code and layers."""
    names = cloud.zip_names(architecture)
    parts = [package for package in packages if package.name in names]
    return TotalSize(
        files=sum(part.files for part in parts),
        zipped=sum(part.zipped for part in parts),
        unzipped=sum(part.unzipped for part in parts),
    )


def render_table(cloud: Cloud, dist: Path) -> str:
    """Returns the Markdown table of a cloud's zips in `dist`.

    Raises:
        UsageError: A zip is missing.
    """
    packages = [_inspect(dist / name) for name in cloud.all_zip_names]
    lines = ["| Zip | Files | Zipped | Unzipped |", "|---|---:|---:|---:|"]
    lines += [
        _row(f"`{package.name}`", package.files, package.zipped, package.unzipped)
        for package in packages
    ]
    for architecture in cloud.architectures:
        total = total_size(cloud, architecture, packages)
        label = f"a function on {architecture}"
        lines.append(_row(label, total.files, total.zipped, total.unzipped))
    return "\n".join(lines)


def update_page(text: str, cloud: str, table: str) -> str:
    """Returns the page's text with a cloud's table replaced."""
    begin, end = (f"<!-- {part} sizes {cloud} -->" for part in ("begin", "end"))
    pattern = re.compile(f"(?s){begin}\n.*?{end}")
    return pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text)


def main(arguments: Sequence[str], *, page: Path = PAGE) -> int:
    """Prints the tables, or writes them into the page; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m kycourier_devkit.package.sizes",
        description="Print the sizes of the built zips as Markdown tables.",
    )
    parser.add_argument(
        "--write", action="store_true", help="update docs/packages.md instead"
    )
    parser.add_argument(
        "--dist",
        type=Path,
        default=repository.ROOT / "dist",
        help="the folder of the zips (dist)",
    )
    parsed = parser.parse_args(arguments)
    screen = Terminal(sys.stdout, sys.stderr)
    try:
        tables = {
            name: render_table(cloud, parsed.dist) for name, cloud in CLOUDS.items()
        }
    except DevkitError as error:
        screen.problem(f"sizes: {error}")
        return error.exit_code
    if not parsed.write:
        screen.line("\n\n".join(tables.values()))
        return 0
    text = page.read_text("utf-8")
    for name, table in tables.items():
        text = update_page(text, name, table)
    page.write_text(text, "utf-8")
    screen.line(f"Updated {page.name}")
    return 0


def _inspect(path: Path) -> BuiltZip:
    if not path.is_file():
        raise UsageError(f"{path} is missing. Build it: make package package-tencent")
    return inspect_zip(path)


def _row(label: str, files: int, zipped: int, unzipped: int) -> str:
    return f"| {label} | {files} | {format_size(zipped)} | {format_size(unzipped)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
