"""Which faults the next calls can be set to meet: any fault, and odd grants."""

from collections.abc import Callable
from typing import Literal

from kycourier_devkit.sandbox.answers import Answer
from kycourier_devkit.sandbox.faults import DAMAGES, REFUSALS
from kycourier_devkit.sandbox.oddities import ODDITIES
from kycourier_devkit.sandbox.words import by_name, explain, read_word

CallKind = Literal["token", "ticket", "query"]
Work = Callable[[], Answer]
Fault = Callable[[Work, float], Answer]  # (the work, epoch seconds) -> what is sent

KINDS: tuple[CallKind, ...] = ("token", "ticket", "query")
_REFUSALS = by_name(REFUSALS)
_DAMAGES = by_name((*DAMAGES, *ODDITIES))


def fault_of(text: str) -> Fault:
    """Read a fault, e.g. `http503`, `code400101`, `reset`; ValueError for another."""
    refusal = read_word(text, table=_REFUSALS)
    if refusal is not None:
        refuse, number = refusal.does, refusal.number
        return lambda _, now: refuse(number, now)
    damaged = read_word(text, table=_DAMAGES)
    if damaged is not None:
        damage, number = damaged.does, damaged.number
        return lambda work, _: damage(work(), number)
    raise ValueError("no such fault")


def kind_of(text: str) -> CallKind:
    """Read the name of a call; ValueError for another."""
    for kind in KINDS:
        if kind == text:
            return kind
    raise ValueError("kind is not token, ticket or query")


def no_fault(work: Work, _: float) -> Answer:
    """Answer as it is."""
    return work()


def fault_rows() -> tuple[tuple[str, str], ...]:
    """List the spelling and help of every fault."""
    return (*explain(REFUSALS), *explain(DAMAGES), *explain(ODDITIES))
