"""Handles the control endpoint, which reads and changes the sandbox over HTTP.

`GET /control/report`; `POST /control/kill-ticket` and `/control/reset`; with a JSON
object `POST /control/secret` (secret), `/control/fault` (kind, fault, times) and
`/control/order` (order_no, behaviour).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from kycourier_devkit.sandbox.http.responses import (
    Response,
    html_response,
    json_response,
)
from kycourier_devkit.sandbox.report import Report

CONTROL_PREFIX = "/control/"


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


def respond_to_control(
    controls: Controls, *, method: str, path: str, body: bytes
) -> Response:
    """Answers one request: 200 with JSON, 400 with an error, 404 or 405."""
    if path not in _HANDLERS:
        return html_response(404)
    allowed, handle = _HANDLERS[path]
    if method != allowed:
        return html_response(405, headers=(("Allow", allowed),))
    try:
        return json_response(handle(controls, _parse_fields(body)))
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


_HANDLERS: dict[str, tuple[str, Callable[[Controls, Fields], Fields]]] = {
    "/control/report": ("GET", _report),
    "/control/kill-ticket": ("POST", _kill_ticket),
    "/control/reset": ("POST", _reset),
    "/control/secret": ("POST", _change_secret),
    "/control/fault": ("POST", _set_fault),
    "/control/order": ("POST", _set_order),
}


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
