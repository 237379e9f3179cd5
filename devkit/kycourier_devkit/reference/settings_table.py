"""Generates the table of settings in README.md and docs.

`python -m kycourier_devkit.reference.settings_table` prints it; `--write` replaces the
text between the two markers; `--check` exits with 1 if a page is out of date.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from kycourier.settings.declarations import SETTINGS, Setting
from kycourier.settings.parsers import InvalidSettingError

BEGIN, END = "<!-- settings -->", "<!-- /settings -->"
HEAD = "| Variable | Value | Default; *local value* |\n|---|---|---|"


def build_table() -> str:
    """Returns the Markdown table, with a row for each setting."""
    return "\n".join([HEAD, *map(_row, SETTINGS)])


def _row(setting: Setting) -> str:
    values = []
    if setting.default is not None:
        values.append(f"`{setting.default}`")
    if setting.local is not None:
        quote = "`" if _is_value(setting) else ""
        values.append(f"*{quote}{setting.local}{quote}*")
    return f"| `{setting.variable}` | {setting.help} | {'; '.join(values)} |"


def _is_value(setting: Setting) -> bool:
    """Returns whether the local value is a value, not a description of one."""
    try:
        setting.parse(setting.local or "")
    except InvalidSettingError:
        return False
    return True


def replace_table(text: str) -> str | None:
    """Returns the text with the current table; None if it has no markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        return None
    return f"{before}{BEGIN}\n{build_table()}\n{END}{after}"


def find_pages(root: Path) -> Iterator[Path]:
    """Yields the pages that contain the markers."""
    for path in (root / "README.md", *sorted((root / "docs").glob("*.md"))):
        if path.is_file() and replace_table(path.read_text("utf-8")) is not None:
            yield path


def find_stale(root: Path) -> list[Path]:
    """Returns the pages whose table is out of date."""
    return [
        path for path in find_pages(root) if _updated(path) != path.read_text("utf-8")
    ]


def main(arguments: list[str]) -> int:
    """Prints, writes or checks the table. Returns the exit code."""
    root = Path(__file__).parents[3]
    if arguments == ["--write"]:
        for path in find_stale(root):
            path.write_text(_updated(path), "utf-8")
            sys.stdout.write(f"{path.name}: written\n")
    elif arguments == ["--check"]:
        stale = find_stale(root)
        for path in stale:
            sys.stdout.write(f"{path.name}: out of date\n")
        return 1 if stale else 0
    elif arguments:
        sys.stderr.write("usage: settings_table [--write | --check]\n")
        return 2
    else:
        sys.stdout.write(f"{build_table()}\n")
    return 0


def _updated(path: Path) -> str:
    text = path.read_text("utf-8")
    return replace_table(text) or text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
