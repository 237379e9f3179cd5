"""What the mutants' fates come to: killed, known to change nothing, or a gap."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec
from msgspec import Struct


class Place(NamedTuple):
    """What tells a mutant from others while the code around it moves."""

    module: str
    within: str
    was: str
    becomes: str

    def __str__(self) -> str:
        name = f"{self.module}.{self.within}".rstrip(".")
        return f"{name}\n  - {self.was}\n  + {self.becomes}"


class Mutant(Struct, frozen=True):
    """One changed text of a module of the core, and the lines that differ."""

    module: str
    within: str
    was: str
    becomes: str
    text: str

    @property
    def place(self) -> Place:
        return Place(self.module, self.within, self.was, self.becomes)


class _Group(Struct, forbid_unknown_fields=True):
    """Mutants of one line that change nothing, for one reason."""

    module: str
    was: str
    becomes: list[str]
    why: str
    within: str = ""


class _File(Struct, forbid_unknown_fields=True):
    equivalent: list[_Group]


def read_reasons(text: bytes) -> dict[Place, str]:
    """Read the list of mutants that change nothing, each with its reason."""
    reasons = {}
    for group in msgspec.toml.decode(text, type=_File).equivalent:
        for becomes in group.becomes:
            place = Place(group.module, group.within, group.was, becomes)
            if place in reasons or not group.why.strip():
                raise ValueError(f"listed twice, or without a reason: {place}")
            reasons[place] = group.why.strip()
    return reasons


class Verdict:
    """The fates of all mutants of some modules against the list."""

    def __init__(
        self, fates: Iterable[tuple[Mutant, bool]], reasons: dict[Place, str]
    ) -> None:
        fates = [(mutant.place, killed) for mutant, killed in fates]
        self.mutants = Counter(place.module for place, _ in fates)
        self.killed = Counter(place.module for place, killed in fates if killed)
        survived = [place for place, killed in fates if not killed]
        dead = {place for place, killed in fates if killed}
        self.gaps = [place for place in survived if place not in reasons]
        self.known = {place: reasons[place] for place in survived if place in reasons}
        self.equivalent = Counter(p.module for p in survived if p in reasons)
        self.stale = [
            place
            for place in reasons
            if place.module in self.mutants
            and (place in dead or place not in self.known)
        ]

    @property
    def holds(self) -> bool:
        return not self.gaps and not self.stale and bool(self.mutants)

    def lines(self) -> Iterator[str]:
        """Say it as a table, then each survivor with its reason or without."""
        head = ("module", "mutants", "killed", "equivalent", "gaps")
        gaps = Counter(place.module for place in self.gaps)
        counts = (self.mutants, self.killed, self.equivalent, gaps)
        rows = [(m, *(count[m] for count in counts)) for m in self.mutants]
        rows.append(("all", *(count.total() for count in counts)))
        for name, *cells in (head, *rows):
            yield f"{name:10}" + "".join(f"{cell:>12}" for cell in cells)
        yield from (f"Changes nothing: {p}\n  {why}" for p, why in self.known.items())
        yield from (f"NOT KILLED: {place}" for place in self.gaps)
        yield from (f"STALE, killed or gone: {place}" for place in self.stale)
