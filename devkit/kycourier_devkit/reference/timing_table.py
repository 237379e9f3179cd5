"""Generates docs/reference/timing.md from the constants of `kycourier.core.timing`."""

import re
import sys
from datetime import timedelta
from pathlib import Path

from kycourier.core import timing

PAGE = Path(__file__).parents[3] / "docs/reference/timing.md"
_SECTION = re.compile(r"# --- (?P<title>.*?) -+")
_COMMENT = re.compile(r"# (?P<text>.+)")
_CONSTANT = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*) = ")
_INTRODUCTION = """# Timing

Every duration that the service works by, from `kycourier/core/timing.py`. The settings
that change durations are in the README's table; all others are constants: change
one there, and run `python -m kycourier_devkit.reference.timing_table`.
"""


def build_page() -> str:
    """Builds the page: a table for each section of the module.

    Raises:
        ValueError: a constant has no comment above it.
    """
    lines = [_INTRODUCTION]
    comment = ""
    source = Path(timing.__file__).read_text(encoding="utf-8")
    for line in source.splitlines():
        if found := _SECTION.fullmatch(line):
            lines.append(f"\n## {found['title']}\n\n| Constant | Value | Meaning |")
            lines.append("|---|---|---|")
        elif found := _COMMENT.fullmatch(line):
            comment = found["text"]
        elif found := _CONSTANT.match(line):
            if not comment:
                raise ValueError(f"{found['name']} has no comment above it")
            name = found["name"]
            value = _show(name, getattr(timing, name))
            lines.append(f"| `{name}` | {value} | {comment} |")
            comment = ""
    return "\n".join(lines) + "\n"


def _show(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_show(name, each) for each in value)
    if isinstance(value, int | float) and not name.endswith("_SECONDS"):
        return f"{value:g}"  # a count, or a part
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if not isinstance(seconds, int | float):
        raise TypeError("a duration is a timedelta or a number of seconds")
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def main() -> int:
    """Writes the page."""
    PAGE.write_text(build_page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
