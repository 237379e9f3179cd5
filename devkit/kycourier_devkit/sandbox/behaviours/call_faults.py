"""Parses the faults that can be set for the next calls of a kind."""

from collections.abc import Callable
from typing import Literal

from kycourier_devkit.sandbox.behaviours.faults import ERROR_RESPONSES, RESPONSE_FAULTS
from kycourier_devkit.sandbox.behaviours.grant_faults import GRANT_FAULTS
from kycourier_devkit.sandbox.behaviours.spelling import (
    help_rows,
    index_by_name,
    parse_behaviour,
)
from kycourier_devkit.sandbox.http.responses import Response
from kycourier_devkit.sandbox.platform.result_codes import CodeScope

CallKind = Literal["token", "ticket", "query"]
Call = Callable[[], Response]
Fault = Callable[[Call, float, CodeScope], Response]  # (the call, epoch seconds)

KINDS: tuple[CallKind, ...] = ("token", "ticket", "query")
_ERRORS = index_by_name(ERROR_RESPONSES)
_RESPONSE_FAULTS = index_by_name((*RESPONSE_FAULTS, *GRANT_FAULTS))


def parse_fault(text: str) -> Fault:
    """Parses a fault, e.g. `http503`. Raises ValueError for an unknown one."""
    error = parse_behaviour(text, table=_ERRORS)
    if error is not None:
        respond, number = error.action, error.number
        return lambda _, now, scope: respond(number, now, scope)
    fault = parse_behaviour(text, table=_RESPONSE_FAULTS)
    if fault is not None:
        change, number = fault.action, fault.number
        return lambda call, *_: change(call(), number)
    raise ValueError("no such fault")


def parse_kind(text: str) -> CallKind:
    """Parses a kind of call. Raises ValueError for an unknown one."""
    for kind in KINDS:
        if kind == text:
            return kind
    raise ValueError("kind is not token, ticket or query")


def fault_rows() -> dict[str, str]:
    """Returns the spelling and help of every fault."""
    others = (*RESPONSE_FAULTS, *GRANT_FAULTS)
    return dict((*help_rows(ERROR_RESPONSES), *help_rows(others)))


def no_fault(call: Call, *_: object) -> Response:
    """Returns the call's response unchanged."""
    return call()
