"""Handles the control endpoint, which reads and changes the sandbox over HTTP.

`GET /control` lists its calls.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from kycourier_devkit.sandbox.behaviours.call_faults import KINDS, fault_rows
from kycourier_devkit.sandbox.behaviours.magic_orders import order_rows
from kycourier_devkit.sandbox.http.requests import Request
from kycourier_devkit.sandbox.http.responses import (
    Response,
    html_response,
    json_response,
)
from kycourier_devkit.sandbox.report import Report

CONTROL_PREFIX = "/control"


class Controls(Protocol):
    """What the endpoint can read and change; ValueError describes a wrong value."""

    def report(self) -> Report:
        """Returns the counts."""

    def kill_ticket(self) -> None:
        """Revokes every token and ticket."""

    def change_secret(self, new: str) -> None:
        """Changes the app secret."""

    def set_fault(self, kind: str, fault: str, *, times: int = 1) -> None:
        """Applies a fault to the next calls of a kind."""

    def set_order(self, order_no: str, behaviour: str) -> None:
        """Chooses the behaviour of an order number."""

    def reset(self) -> None:
        """Returns to the initial state."""


Fields = Mapping[str, object]


def respond_to_control(controls: Controls, request: Request) -> Response:
    """Answers one request: 200 with JSON, 400 with an error, 404 or 405."""
    call = _CALLS.get(request.path)
    if call is None:
        return html_response(404)
    if request.method != call.method:
        return html_response(405, headers=(("Allow", call.method),))
    try:
        return json_response(call.handle(controls, _parse_fields(request.body)))
    except ValueError as error:
        return replace(json_response({"error": str(error)}), status=400)


def _report(controls: Controls, _: Fields) -> Fields:
    return controls.report().to_json()


def _kill_ticket(controls: Controls, _: Fields) -> Fields:
    controls.kill_ticket()
    return {}


def _reset(controls: Controls, _: Fields) -> Fields:
    controls.reset()
    return {}


def _change_secret(controls: Controls, fields: Fields) -> Fields:
    controls.change_secret(_text(fields, "secret"))
    return {}


def _set_fault(controls: Controls, fields: Fields) -> Fields:
    times = fields.get("times", 1)
    if not isinstance(times, int) or isinstance(times, bool):
        raise ValueError("times is not a whole number")  # noqa: TRY004 - answered with 400
    controls.set_fault(_text(fields, "kind"), _text(fields, "fault"), times=times)
    return {}


def _set_order(controls: Controls, fields: Fields) -> Fields:
    controls.set_order(_text(fields, "order_no"), _text(fields, "behaviour"))
    return {}


def _list_calls(_: Controls, __: Fields) -> Fields:
    return {
        "calls": [
            {"method": call.method, "path": path, "body": call.body, "help": call.help}
            for path, call in _CALLS.items()
        ],
        "kinds": list(KINDS),
        "faults": fault_rows(),
        "order_numbers": dict(order_rows()),
    }


@dataclass(frozen=True)
class ControlCall:
    """One call: its method, its JSON body as name → description, and its handler."""

    method: str
    help: str
    handle: Callable[[Controls, Fields], Fields]
    body: Mapping[str, str] = field(default_factory=dict)


_CALLS = {
    "/control": ControlCall("GET", "list these calls", _list_calls),
    "/control/report": ControlCall("GET", "count the calls so far", _report),
    "/control/kill-ticket": ControlCall("POST", "revoke every ticket", _kill_ticket),
    "/control/reset": ControlCall("POST", "return to the initial state", _reset),
    "/control/secret": ControlCall(
        "POST", "change the app secret", _change_secret, {"secret": "the new one"}
    ),
    "/control/fault": ControlCall(
        "POST",
        "apply a fault to calls",
        _set_fault,
        {
            "kind": "one of kinds",
            "fault": "one of faults",
            "times": "for how many calls; 1 by default",
        },
    ),
    "/control/order": ControlCall(
        "POST",
        "choose an order's behaviour",
        _set_order,
        {"order_no": "the number", "behaviour": "one of order_numbers"},
    ),
}


def control_rows() -> Iterator[tuple[str, str]]:
    """Yields method and path, and the help, of every call."""
    for path, call in _CALLS.items():
        fields = f" ({', '.join(call.body)})" if call.body else ""
        yield f"{call.method} {path}", f"{call.help}{fields}"


def _parse_fields(body: bytes) -> Fields:
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004 - answered with 400
    return fields


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is missing or not a string")
    return value
