"""Reads tencent.yml strictly; error messages name keys and lines, never values."""

import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from kycourier_devkit.deploy.config.schema import Config
from kycourier_devkit.errors import UsageError

_MAX_BYTES = 64 * 1024


def read_config(path: Path) -> Config:
    """Reads tencent.yml.

    Raises:
        UsageError: The file is missing, too large, no YAML or not as the schema.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    else:
        if len(content) <= _MAX_BYTES:
            return _parse(content, path.name)
        reason = "is too large"
    raise UsageError(f"{path.name} {reason}")


def _parse(content: bytes, name: str) -> Config:
    try:
        loaded = yaml.load(content.decode(), Loader=_StrictLoader)  # noqa: S506 - a safe one
        return msgspec.convert(loaded, Config)
    except yaml.YAMLError as error:
        reason = _locate(error)
    except msgspec.ValidationError as error:
        reason = _put_key_first(str(error))
    except (UnicodeDecodeError, RecursionError, ValueError):
        reason = "is not valid YAML"
    raise UsageError(f"{name}: {reason}")


def _locate(error: yaml.YAMLError) -> str:
    """Returns the error with its line number; the line itself may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    problem = str(error) if isinstance(error, _BadKeyError) else "is not valid YAML"
    return f"{problem}, line {mark.line + 1}" if mark else problem


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
