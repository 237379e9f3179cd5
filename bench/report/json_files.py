"""Writes the JSON files that are kept in the repository: compact, but easy to diff."""

import json
from pathlib import Path

import msgspec


def write_json(file: Path, value: object) -> None:
    """Writes a value with the members of each innermost list or object on one line."""
    text = _format(msgspec.to_builtins(value, str_keys=True))
    file.write_text(f"{text}\n", "utf-8")


def _format(value: object, indent: str = "") -> str:
    inner = f"{indent} "
    if isinstance(value, dict) and any(map(_is_nested, value.values())):
        lines = [f"{json.dumps(k)}: {_format(v, inner)}" for k, v in value.items()]
        opening, closing = "{}"
    elif isinstance(value, list | tuple) and any(map(_is_nested, value)):
        lines = [_format(each, inner) for each in value]
        opening, closing = "[]"
    else:
        return json.dumps(value, ensure_ascii=False)
    body = f",\n{inner}".join(lines)
    return f"{opening}\n{inner}{body}\n{indent}{closing}"


def _is_nested(value: object) -> bool:
    return isinstance(value, dict | list | tuple) and bool(value)
