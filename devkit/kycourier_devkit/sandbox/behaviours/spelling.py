"""Parses behaviours in order numbers: a name, an optional number, `x` and a suffix."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Action = TypeVar("Action")

_STATUSES = range(400, 600)


@dataclass(frozen=True)
class Behaviour(Generic[Action]):
    """One behaviour: spelling (`N` is a number), help, action and default number."""

    spelling: str
    help: str
    action: Action
    default: int = 0

    @property
    def name(self) -> str:
        """The spelling without its number."""
        return self.spelling.removesuffix("N")


@dataclass(frozen=True)
class ParsedBehaviour(Generic[Action]):
    """A parsed behaviour with its number; `once` limits it to the first query."""

    name: str
    action: Action
    number: int
    once: bool


def index_by_name(
    behaviours: Iterable[Behaviour[Action]],
) -> dict[str, Behaviour[Action]]:
    """Indexes a table by the names of its behaviours."""
    return {behaviour.name: behaviour for behaviour in behaviours}


def parse_behaviour(
    text: str, *, table: Mapping[str, Behaviour[Action]]
) -> ParsedBehaviour[Action] | None:
    """Parses e.g. `late3x001`, `codem9011` or `oncehtml`.

    `m` before the number is a minus sign. `once` limits a behaviour to the first query
    of an order; `once` before a number alone is an HTTP status (400 to 599) or a code.

    Returns:
        None if the text names no behaviour.
    """
    longest_first = "|".join(sorted(table, key=len, reverse=True))
    pattern = rf"(once)?({longest_first})?(m?[0-9]+)?(?:x[A-Za-z0-9]*)?"
    match = re.fullmatch(pattern, text)
    if match is None:
        return None
    once, name, digits = match.groups()
    number = int(digits.replace("m", "-")) if digits else None
    if once and name is None and number is not None:
        name = "http" if number in _STATUSES else "code"
    if name not in table:
        return None
    behaviour = table[name]
    number = behaviour.default if number is None else number
    return ParsedBehaviour(name, behaviour.action, number, once is not None)


def help_rows(behaviours: Iterable[Behaviour[Action]]) -> tuple[tuple[str, str], ...]:
    """Returns the spelling and help of each behaviour, with its default number."""
    return tuple(
        (
            each.spelling,
            f"{each.help} (N={each.default})" if each.default else each.help,
        )
        for each in behaviours
    )
