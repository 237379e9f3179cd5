"""Token and ticket replies with lifetimes and lists that no client should trust."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kycourier_devkit.sandbox.answers import Answer
from kycourier_devkit.sandbox.faults import Damage
from kycourier_devkit.sandbox.words import Word

Reply = dict[str, Any]  # JSON, as json.loads gives it
Edit = Callable[[Reply, int], None]


def _edited(edit: Edit) -> Damage:
    def damage(answer: Answer, number: int) -> Answer:
        reply = json.loads(answer.body)
        edit(reply, number)
        return replace(answer, body=json.dumps(reply, ensure_ascii=False).encode())

    return damage


def _lifetime(lifetime_of: Callable[[int], object]) -> Edit:
    def edit(reply: Reply, number: int) -> None:
        for entry in (reply, *reply.get("tickets", ())):
            if "expire_in" in entry:
                entry["expire_in"] = lifetime_of(number)

    return edit


def _count_tickets(reply: Reply, number: int) -> None:
    if "tickets" in reply:
        reply["tickets"] *= number


ODDITIES: tuple[Word[Damage], ...] = (
    Word("lifetimeN", "expire_in is the number N", _edited(_lifetime(int))),
    Word("lifetimeempty", "expire_in is empty", _edited(_lifetime(lambda _: ""))),
    Word("lifetimeunit", "expire_in is 3600s", _edited(_lifetime(lambda _: "3600s"))),
    Word("ticketsN", "N tickets in the list", _edited(_count_tickets)),
)
