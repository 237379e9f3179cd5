"""Defines token and ticket replies with unusable lifetimes or ticket counts."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kycourier_devkit.sandbox.behaviours.faults import ResponseFault
from kycourier_devkit.sandbox.behaviours.spelling import Behaviour
from kycourier_devkit.sandbox.http.responses import Response

Reply = dict[str, Any]  # a JSON object
Edit = Callable[[Reply, int], None]  # (reply, number)


def _edited(edit: Edit) -> ResponseFault:
    def apply(response: Response, number: int) -> Response:
        reply = json.loads(response.body)
        edit(reply, number)
        return replace(response, body=json.dumps(reply, ensure_ascii=False).encode())

    return apply


def _lifetime(lifetime_of: Callable[[int], object]) -> Edit:
    def edit(reply: Reply, number: int) -> None:
        for entry in (reply, *reply.get("tickets", ())):
            if "expire_in" in entry:
                entry["expire_in"] = lifetime_of(number)

    return edit


def _count_tickets(reply: Reply, number: int) -> None:
    if "tickets" in reply:
        reply["tickets"] *= number


GRANT_FAULTS: tuple[Behaviour[ResponseFault], ...] = (
    Behaviour("lifetimeN", "expire_in is the number N", _edited(_lifetime(int))),
    Behaviour("lifetimeempty", "expire_in is empty", _edited(_lifetime(lambda _: ""))),
    Behaviour(
        "lifetimeunit", "expire_in is 3600s", _edited(_lifetime(lambda _: "3600s"))
    ),
    Behaviour("ticketsN", "N tickets in the list", _edited(_count_tickets)),
)
