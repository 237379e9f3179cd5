"""Defines the result of one check."""

from msgspec import Struct

OK, NOTE, WARNING, PROBLEM = "ok", "note", "warning", "problem"


class CheckResult(Struct, frozen=True):
    """The result of one check; `state` is OK, NOTE, WARNING or PROBLEM.

    With a PROBLEM no order can be collected now.
    """

    state: str
    name: str
    detail: str
