"""Reads what others rely on, and finds what a new release would break of it.

The contract is the OpenAPI description, the AsyncAPI description, the JSON Schemas, and
the settings table.
"""

import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

from msgspec import Struct

import kycourier
from kycourier.settings.declarations import SETTINGS, Setting
from kycourier_devkit.compatibility.operations import (
    find_api_breaks,
    find_message_breaks,
)
from kycourier_devkit.compatibility.schemas import (
    Direction,
    Document,
    JsonObject,
    Schema,
    find_breaks,
)

_QUOTED = re.compile(r"`([^`]+)`")
_OPENAPI, _ASYNCAPI = "openapi.json", "asyncapi.json"


class Contract(Struct, frozen=True):
    """One release's contract.

    Attributes:
        version: The release.
        descriptions: The published descriptions by file name.
        settings: Each setting's values and default, by its variable.
    """

    version: str
    descriptions: Mapping[str, JsonObject]
    settings: Mapping[str, Mapping[str, str | None]]


def read_current() -> Contract:
    """Reads the contract of this checkout."""
    folder = files("kycourier").joinpath("schemas")
    return Contract(
        kycourier.__version__,
        {
            each.name: json.loads(each.read_text("utf-8"))
            for each in sorted(folder.iterdir(), key=lambda each: each.name)
            if each.name.endswith(".json")
        },
        {setting.variable: _describe(setting) for setting in SETTINGS},
    )


def _describe(setting: Setting) -> dict[str, str | None]:
    return {"values": setting.help, "default": setting.default}


def find_contract_breaks(old: Contract, new: Contract) -> list[str]:
    """Returns what the new contract breaks, a line each; empty for nothing."""
    return [*_settings_breaks(old, new), *_description_breaks(old, new)]


def allows_breaks(old: Contract, new: Contract) -> bool:
    """Checks whether the version is a step that may break: 1.x to 2, 0.1 to 0.2."""
    before, after = _version(old.version), _version(new.version)
    if before[0] == after[0] == 0:
        return after[1] > before[1]
    return after[0] > before[0]


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


def _settings_breaks(old: Contract, new: Contract) -> Iterator[str]:
    for variable, before in old.settings.items():
        after = new.settings.get(variable)
        if after is None:
            yield f"settings {variable}: is gone"
            continue
        for form in _forms(before) - _forms(after):
            yield f"settings {variable}: {form} is gone"
        if before["default"] not in {None, after["default"]}:
            yield f"settings {variable}: its default was {before['default']}"


def _forms(setting: Mapping[str, str | None]) -> set[str]:
    return set(_QUOTED.findall(setting["values"] or ""))


def _description_breaks(old: Contract, new: Contract) -> Iterator[str]:
    for name, content in old.descriptions.items():
        if name not in new.descriptions:
            yield f"{name}: is gone"
            continue
        before = Document(content, old.descriptions)
        after = Document(new.descriptions[name], new.descriptions)
        found: Iterator[str]
        if name == _OPENAPI:
            found = find_api_breaks(before, after)
        elif name == _ASYNCAPI:
            found = find_message_breaks(before, after)
        else:
            one, other = Schema(content, before), Schema(after.content, after)
            found = iter(find_breaks(one, other, Direction.PRODUCED))
        yield from (f"{name} {text}" for text in found)
