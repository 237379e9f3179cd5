"""The control endpoint: the sandbox's own switches, as JSON on loopback.

`GET /control/report`; `POST /control/kill-ticket` and `/control/reset`; with a JSON
object `POST /control/secret` (secret), `/control/fault` (kind, fault, times) and
`/control/order` (order_no, behaviour).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from kycourier_devkit.sandbox.answers import Answer, html_answer, json_answer
from kycourier_devkit.sandbox.report import Report

CONTROL_PREFIX = "/control/"


class Controls(Protocol):
    """What can be read and switched; ValueError says what is wrong with a value."""

    def report(self) -> Report:
        """Read the counts."""

    def kill_ticket(self) -> None:
        """Revoke every token and ticket."""

    def change_secret(self, new: str) -> None:
        """Take another app secret."""

    def set_fault(self, kind: str, fault: str, *, times: int = 1) -> None:
        """Let the next calls of a kind meet a fault."""

    def set_order(self, order_no: str, behaviour: str) -> None:
        """Choose what an order number does."""

    def reset(self) -> None:
        """Begin again."""


Fields = Mapping[str, object]


def answer_control(
    controls: Controls, *, method: str, path: str, body: bytes
) -> Answer:
    """Answer one request: 200 with JSON; 400 says what is wrong; else 404 and 405."""
    if path not in _CONTROLS:
        return html_answer(404)
    allowed, act = _CONTROLS[path]
    if method != allowed:
        return html_answer(405, headers=(("Allow", allowed),))
    try:
        return json_answer(act(controls, _fields(body)))
    except ValueError as error:
        return replace(json_answer({"error": str(error)}), status=400)


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
        raise ValueError("times is not a whole number")  # noqa: TRY004 - as in _fields
    controls.set_fault(_text(fields, "kind"), _text(fields, "fault"), times=times)
    return {}


def _set_order(controls: Controls, fields: Fields) -> Fields:
    controls.set_order(_text(fields, "order_no"), _text(fields, "behaviour"))
    return {}


_CONTROLS: dict[str, tuple[str, Callable[[Controls, Fields], Fields]]] = {
    "/control/report": ("GET", _report),
    "/control/kill-ticket": ("POST", _kill_ticket),
    "/control/reset": ("POST", _reset),
    "/control/secret": ("POST", _change_secret),
    "/control/fault": ("POST", _set_fault),
    "/control/order": ("POST", _set_order),
}


def _fields(body: bytes) -> Fields:
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004 - the caller's answer is the same
    return fields


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is missing or not a text")
    return value
