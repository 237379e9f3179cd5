"""How behaviours are spelled: a name, perhaps a number, then `x` and anything."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Does = TypeVar("Does")

_STATUSES = range(400, 600)


@dataclass(frozen=True)
class Word(Generic[Does]):
    """One behaviour: its spelling (`N` stands for a number), help and what it does."""

    spelling: str
    help: str
    does: Does
    default: int = 0

    @property
    def name(self) -> str:
        """The spelling without its number."""
        return self.spelling.removesuffix("N")


@dataclass(frozen=True)
class Spelled(Generic[Does]):
    """A behaviour as somebody chose it, with its number or the default."""

    name: str
    does: Does
    number: int
    once: bool


def by_name(words: Iterable[Word[Does]]) -> dict[str, Word[Does]]:
    """Index a table by the names of its words."""
    return {word.name: word for word in words}


def read_word(text: str, *, table: Mapping[str, Word[Does]]) -> Spelled[Does] | None:
    """Read e.g. `late3x001`, `codem9011`, `oncehtml`; None if it spells nothing.

    `m` before the number is a minus. `once` before a word limits it to an order's first
    query; `once` before a bare number means an HTTP status (400 to 599) or a code.
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
    word = table[name]
    number = word.default if number is None else number
    return Spelled(name, word.does, number, once is not None)


def explain(words: Iterable[Word[Does]]) -> tuple[tuple[str, str], ...]:
    """List the spelling and help of each word, its default number in brackets."""
    return tuple(
        (
            word.spelling,
            f"{word.help} (N={word.default})" if word.default else word.help,
        )
        for word in words
    )
