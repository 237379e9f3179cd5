"""Reports mutants as killed, known to be equivalent, or not noticed by any test."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec
from msgspec import Struct


class MutantKey(NamedTuple):
    """Identifies a mutant while the code around it moves."""

    module: str
    within: str
    was: str
    becomes: str

    def __str__(self) -> str:
        name = f"{self.module}.{self.within}".rstrip(".")
        return f"{name}\n  - {self.was}\n  + {self.becomes}"


class Mutant(Struct, frozen=True, kw_only=True):
    """One changed text of a module, and the lines that differ."""

    module: str
    within: str = ""
    was: str = ""
    becomes: str = ""
    text: str = ""

    @property
    def key(self) -> MutantKey:
        return MutantKey(self.module, self.within, self.was, self.becomes)


class _Group(Struct, forbid_unknown_fields=True):
    """Equivalent mutants of one line, for one reason."""

    module: str
    was: str
    becomes: list[str]
    why: str
    within: str = ""


class _File(Struct, forbid_unknown_fields=True):
    equivalent: list[_Group]


def read_reasons(text: bytes) -> dict[MutantKey, str]:
    """Return the reason of each listed mutant. Raises ValueError."""
    reasons = {}
    for group in msgspec.toml.decode(text, type=_File).equivalent:
        for becomes in group.becomes:
            key = MutantKey(group.module, group.within, group.was, becomes)
            if key in reasons or not group.why.strip():
                raise ValueError(f"listed twice, or without a reason: {key}")
            reasons[key] = group.why.strip()
    return reasons


class Report:
    """The outcomes of all mutants of some modules, compared with the list."""

    def __init__(
        self, outcomes: Iterable[tuple[Mutant, bool]], reasons: dict[MutantKey, str]
    ) -> None:
        outcomes = [(mutant.key, killed) for mutant, killed in outcomes]
        self.mutants = Counter(key.module for key, _ in outcomes)
        self.killed = Counter(key.module for key, killed in outcomes if killed)
        survived = [key for key, killed in outcomes if not killed]
        dead = {key for key, killed in outcomes if killed}
        self.gaps = [key for key in survived if key not in reasons]
        self.known = {key: reasons[key] for key in survived if key in reasons}
        self.equivalent = Counter(p.module for p in survived if p in reasons)
        self.stale = [
            key
            for key in reasons
            if key.module in self.mutants and (key in dead or key not in self.known)
        ]

    @property
    def passes(self) -> bool:
        return not self.gaps and not self.stale and bool(self.mutants)

    def lines(self) -> Iterator[str]:
        """Yield a table, then each survivor with its reason if it has one."""
        head = ("module", "mutants", "killed", "equivalent", "gaps")
        gaps = Counter(key.module for key in self.gaps)
        counts = (self.mutants, self.killed, self.equivalent, gaps)
        rows = [(m, *(count[m] for count in counts)) for m in self.mutants]
        rows.append(("all", *(count.total() for count in counts)))
        for name, *cells in (head, *rows):
            yield f"{name:24}" + "".join(f"{cell:>12}" for cell in cells)
        yield from (f"Equivalent: {p}\n  {why}" for p, why in self.known.items())
        yield from (f"NOT KILLED: {key}" for key in self.gaps)
        yield from (f"STALE, killed or no longer made: {key}" for key in self.stale)
