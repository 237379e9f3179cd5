"""Faults 1-17: what can go wrong on the way to the platform and back."""

import json
from random import Random

from kycourier.core.models import KycReply
from simulation.faults.fault import checked, during, facts, fault
from simulation.gate import Strike
from simulation.plan import Plan
from simulation.strikes import (
    answer,
    drip,
    garble,
    lose_answer,
    refuse,
    repeat,
    reply,
    slow,
)  # fmt: skip
from simulation.world import RunWorld

CALLS = ("kyc.*", "kyc.query", "kyc.token", "kyc.ticket")
HTML = b"<html><body>Bad Gateway, synthetic</body></html>"


def any_calls(
    number: int, strike: Strike, world: RunWorld, plan: Plan, dice: Random
) -> None:
    """Strike all calls, or those of one kind, for a minute."""
    calls, chance = dice.choice(CALLS), dice.choice((0.4, 1.0))
    during(number, calls, strike, world=world, plan=plan, chance=chance)


def _register(number: int, words: str, strike: Strike) -> None:
    fault(number, words)(
        lambda world, plan, dice: any_calls(number, strike, world, plan, dice)
    )


def _refuse_after(seconds: float) -> Strike:
    def strike(call, proceed):
        slow(seconds)(call, lambda: None)
        return refuse(call, proceed)

    return strike


_register(1, "name does not resolve", _refuse_after(0.05))
_register(2, "port closed", refuse)
_register(3, "connect hangs", _refuse_after(2.0))
_register(4, "bad, expired, wrong-host certificate", _refuse_after(0.1))
_register(5, "headers drip", drip)
_register(6, "body drips", drip)
_register(7, "reset mid-body", lose_answer)
_register(8, "closed before Content-Length", lose_answer)
_register(12, "redirect to another host", answer(lambda: reply(b"", 302)))
_register(13, "HTML page with 200", answer(lambda: reply(HTML)))
_register(15, "gzip bomb", lose_answer)
_register(16, "endless body", lose_answer)


@fault(9, "stale kept-alive connection")
def stale_connection(world: RunWorld, plan: Plan, dice: Random) -> None:
    world.judge.tickets.most_queries *= 2  # the platform hears each of them twice
    any_calls(9, repeat, world, plan, dice)


def _stops_soon(world: RunWorld, plan: Plan) -> list[str]:
    """One worker's fleet stops within 20 calls of the first failure."""
    del plan
    lines = world.gate.trace
    tripped = [at for at, line in enumerate(lines) if line.endswith("! brake_tripped")]
    calls = [
        line for line in lines[: tripped[0] if tripped else 0] if " kyc.query" in line
    ]
    return checked(
        (bool(tripped), "the brake was never tripped"),
        (len(calls) <= 20, f"{len(calls)} calls before the fleet stopped"),
    )


def _one_worker(plan: Plan) -> None:
    plan.orders, plan.collectors, plan.ways = 40, 1, ("queue",)
    plan.arrival_seconds = 3.0


@fault(
    10, "burst of 500, 503, 504",
    shape=_one_worker, broken=_stops_soon, sees=("trial call",),
)  # fmt: skip
def burst(world: RunWorld, plan: Plan, dice: Random) -> None:
    strike = answer(lambda: reply(HTML, dice.choice((500, 503, 504))))
    during(10, "kyc.query", strike, world=world, plan=plan)


def _heeds_retry_after(world: RunWorld, plan: Plan) -> list[str]:
    del plan
    pauses = [fields["seconds"] for fields in facts(world, "brake_tripped")]
    return checked(
        (bool(pauses), "the brake was never tripped"),
        (all(pause <= 300.1 for pause in pauses), "a pause of more than 5 min"),
        (
            pauses[0] >= 4.9 if "5" in world.told else True,
            "Retry-After was not honoured",
        ),
        (
            pauses[0] >= 299 if "1000000000" in world.told else True,
            "a huge Retry-After was not honoured up to the cap",
        ),
    )


def _soon(plan: Plan) -> None:
    plan.arrival_seconds, plan.ways = 20.0, ("queue", "api")


@fault(11, "429 with Retry-After", shape=_soon, broken=_heeds_retry_after)
def too_many(world: RunWorld, plan: Plan, dice: Random) -> None:
    told = dice.choice(("5", "1000000000", "1e9", "soon", "-5", "٥"))
    world.told.add(told)
    strike = answer(lambda: reply(b"{}", 429, retry_after=told))
    during(11, "kyc.query", strike, world=world, plan=plan, ends=40.0)


@fault(14, "JSON as text/plain, GBK bytes")
def gbk(world: RunWorld, plan: Plan, dice: Random) -> None:
    del dice
    text = json.dumps({"code": "0", "msg": "请求成功"}, ensure_ascii=False)
    strike = answer(lambda: reply(text.encode("gbk")))
    during(14, "kyc.*", strike, world=world, plan=plan, chance=0.5)


@fault(17, "JSON cut at every offset")
def cut(world: RunWorld, plan: Plan, dice: Random) -> None:
    """Cut every reply: meanwhile nothing is collected."""

    def shorten(whole: KycReply) -> KycReply:
        body = whole.body.reveal()
        return reply(body[: dice.randrange(len(body))])

    def nothing_is_collected() -> None:
        rows = [row for row in world.stores.rows() if row.state.value == "collected"]
        if rows and plan.is_alone:
            world.verdict.violate("fault 17", "a cut reply was collected")

    during(17, "kyc.query", garble(shorten), world=world, plan=plan)
    world.clockwork.at(69.9, nothing_is_collected)
