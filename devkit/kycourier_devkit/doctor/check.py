"""Defines the result of one check."""

from msgspec import Struct

OK, NOTE, PROBLEM = "ok", "note", "problem"


class CheckResult(Struct, frozen=True):
    """The result of one check; `state` is OK, NOTE or PROBLEM."""

    state: str
    name: str
    detail: str
