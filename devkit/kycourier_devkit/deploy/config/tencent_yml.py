"""Reads tencent.yml strictly; error messages name keys and lines, never values."""

import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from kycourier.settings.declarations import SETTINGS
from kycourier_devkit.deploy.config.schema import Config
from kycourier_devkit.errors import UsageError

_MAX_BYTES = 64 * 1024
_TEXT = "tag:yaml.org,2002:str"
_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_NUMBERS = {
    setting.variable
    for setting in SETTINGS
    if setting.default and _NUMBER.fullmatch(setting.default)
}


def read_config(path: Path) -> Config:
    """Reads tencent.yml.

    Raises:
        UsageError: The file is missing, too large, no YAML or not as the schema.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        reason = f"cannot be read: {error.strerror}. Start from tencent.yml.example"
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    else:
        if len(content) <= _MAX_BYTES:
            return _parse(content, path.name)
        reason = "is too large"
    raise UsageError(f"{path.name} {reason}")


def _parse(content: bytes, name: str) -> Config:
    root = None
    try:
        text = content.decode()
        root = yaml.compose(text, Loader=_StrictLoader)
        loaded = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a safe one
        _refuse_numbers(root)
        return msgspec.convert(loaded, Config)
    except yaml.YAMLError as error:
        reason = _locate(error)
    except msgspec.ValidationError as error:
        reason = _put_key_first(str(error))
        line = _line_of(root, reason.partition(":")[0])
        reason = f"{reason}, line {line}" if line else reason
    except (UnicodeDecodeError, RecursionError, ValueError):
        reason = "is not valid YAML"
    raise UsageError(f"{name}: {reason}")


def _locate(error: yaml.YAMLError) -> str:
    """Returns the error with its line number; the line itself may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    own = isinstance(error, _BadKeyError | _NotTextError)
    problem = str(error) if own else "is not valid YAML"
    return f"{problem}, line {mark.line + 1}" if mark else problem


def _refuse_numbers(root: yaml.Node | None) -> None:
    """Refuses a setting's text that YAML reads as a number, a date or nothing.

    `01234567` would become 342391. Numbers are for the settings that are numbers.
    """
    for name, node in _members(_members(root).get("settings")).items():
        is_scalar = isinstance(node, yaml.ScalarNode)
        if not is_scalar or node.tag == _TEXT:
            continue
        if name in _NUMBERS and _NUMBER.fullmatch(node.value):
            continue
        problem = f"settings.{name}: must be text: put it in quotes"
        raise _NotTextError(problem=problem, problem_mark=node.start_mark)


def _members(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value}


def _line_of(root: yaml.Node | None, path: str) -> int | None:
    """Returns the line of `functions.sweep_orders.memory`; None if it is not there."""
    node = root
    for name in path.split("."):
        node = _members(node).get(name)
    return node.start_mark.line + 1 if node else None


def _put_key_first(message: str) -> str:
    """Rewrites msgspec's message as `functions.sweep_orders.memory: …`."""
    problem, _, path = message.partition(" - at `$")
    key = path.rstrip("`").lstrip(".").replace("[...]", "")
    problem = problem.replace("`", "'")
    if problem.startswith("Invalid enum value"):  # the rest repeats the value
        problem = "is not one of the allowed values"
    unknown = re.search("unknown field '(.*)'", problem)
    if unknown:
        key, problem = f"{key}.{unknown[1]}".lstrip("."), "there is no such key"
    missing = re.search("missing required field '(.*)'", problem)
    if missing:
        key, problem = f"{key}.{missing[1]}".lstrip("."), "is missing"
    return f"{key}: {problem}" if key else problem


class _BadKeyError(yaml.MarkedYAMLError):
    """A key occurs twice, of which PyYAML would keep the last, or is not a scalar."""

    def __str__(self) -> str:
        return "a key occurs twice or is not plain text"


class _NotTextError(yaml.MarkedYAMLError):
    """A number where text is due."""

    def __str__(self) -> str:
        return str(self.problem)


class _StrictLoader(yaml.SafeLoader):
    """Loads plain values and refuses duplicate keys."""

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 - PyYAML's
    ) -> dict[Any, Any]:
        """Refuses a duplicate key."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                raise _BadKeyError(problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
