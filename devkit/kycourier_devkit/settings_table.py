"""The table of settings in README.md and docs, made from the settings themselves.

`python -m kycourier_devkit.settings_table` prints it; with `--write` it replaces what
stands between the two markers; with `--check` it exits 1 where that is stale.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from kycourier.setting_forms import WrongForm
from kycourier.settings import SETTINGS, Setting

BEGIN, END = "<!-- settings -->", "<!-- /settings -->"
HEAD = "| Variable | Value | Default; *local value* |\n|---|---|---|"


def build_table() -> str:
    """Build the Markdown table, a line for each setting, in their order."""
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
    """Tell whether the local value stands there itself, or is told in words."""
    try:
        setting.parse(setting.local or "")
    except WrongForm:
        return False
    return True


def replace_table(text: str) -> str | None:
    """Give the text with the table as it is now; None when it has no markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        return None
    return f"{before}{BEGIN}\n{build_table()}\n{END}{after}"


def find_pages(root: Path) -> Iterator[Path]:
    """Find the pages that have the markers."""
    for path in (root / "README.md", *sorted((root / "docs").glob("*.md"))):
        if path.is_file() and replace_table(path.read_text("utf-8")) is not None:
            yield path


def find_stale(root: Path) -> list[Path]:
    """Name the pages whose table is not as it is made now."""
    return [
        path for path in find_pages(root) if _renew(path) != path.read_text("utf-8")
    ]


def main(arguments: list[str]) -> int:
    """Print, write or check; give the exit code."""
    root = Path(__file__).parents[2]
    if arguments == ["--write"]:
        for path in find_stale(root):
            path.write_text(_renew(path), "utf-8")
            sys.stdout.write(f"{path.name}: written\n")
    elif arguments == ["--check"]:
        stale = find_stale(root)
        for path in stale:
            sys.stdout.write(f"{path.name}: stale\n")
        return 1 if stale else 0
    elif arguments:
        sys.stderr.write("give --write, --check or nothing\n")
        return 2
    else:
        sys.stdout.write(f"{build_table()}\n")
    return 0


def _renew(path: Path) -> str:
    text = path.read_text("utf-8")
    return replace_table(text) or text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
