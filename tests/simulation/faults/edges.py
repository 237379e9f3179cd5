"""Faults 54-60: events, state, evidence, and the start."""

from random import Random
from typing import cast

from kycourier.core.errors import EvidenceConflict, StaleOwner
from kycourier.core.order_record import OrderRecord
from kycourier.ports import Page
from simulation.faults.fault import checked, during, fault
from simulation.gate import Call, Rule
from simulation.plan import Plan
from simulation.strikes import Proceed, die, lose_answer, refuse
from simulation.world import RunWorld

SECRET_VALUE = "s3kret-value-of-a-setting"


@fault(54, "stored but publish fails", sees=("event_not_sent",))
def publish_fails(world: RunWorld, plan: Plan, dice: Random) -> None:
    strike = dice.choice((refuse, lose_answer))
    chance = dice.choice((0.5, 1.0))
    during(54, "sink.publish", strike, world=world, plan=plan, ends=120, chance=chance)


def _marks_sent(call: Call) -> bool:
    record = cast("OrderRecord", call.args[0])
    return bool(record.events) and not record.unsent


@fault(55, "published but mark fails", sees=("outbox re-sent",))
def mark_fails(world: RunWorld, plan: Plan, dice: Random) -> None:
    strike = dice.choice((refuse, die(after=False), lose_answer))
    plan.lasts_until(125)
    world.add(
        Rule("55", "orders.commit", strike, ends=120, chance=0.7, only=_marks_sent)
    )


@fault(56, "partial failure in a 200 answer", sees=("event_not_sent", "outbox re-sent"))
def partial_failure(world: RunWorld, plan: Plan, dice: Random) -> None:
    """Let some entries be taken and some not: the port fails, all are sent again."""

    def some(call: Call, proceed: Proceed) -> object:
        if dice.random() < 0.5:
            proceed()
        raise call.fail()

    during(56, "sink.publish", some, world=world, plan=plan, ends=120, chance=0.6)
    during(56, "queue.enqueue", some, world=world, plan=plan, ends=120, chance=0.6)


@fault(57, "store throttles, condition fails, torn read", sees=("rows_unreadable",))
def store_throttles(world: RunWorld, plan: Plan, dice: Random) -> None:
    plan.lasts_until(200)
    pages: dict[str, Page] = {}

    def read(call: Call, proceed: Proceed) -> object:
        page = cast("Page", proceed())
        stale = pages.get(call.verb, page)
        pages[call.verb] = page
        return stale if dice.random() < 0.5 else _torn(page)

    def strike(call: Call, proceed: Proceed) -> object:
        if call.verb == "commit" and dice.random() < 0.3:
            raise StaleOwner("synthetic fault")
        return dice.choice((refuse, lose_answer))(call, proceed)

    for verb in ("due", "unsent"):
        world.add(Rule("57", f"orders.{verb}", read, ends=195, chance=0.6))
    for port in ("orders", "tickets", "leases", "brakes"):
        world.add(Rule("57", f"{port}.*", strike, ends=195, chance=0.15))
    plan.any_token_count = True


def _torn(page: Page) -> Page:
    """Leave out a row, as one that could not be read."""
    if not page.records:
        return page
    return Page(page.records[1:], page.next, unreadable=page.unreadable + 1)


@fault(58, "put answered 409, 412, 503, or done but timed out")
def put_in_doubt(world: RunWorld, plan: Plan, dice: Random) -> None:
    plan.may_park = True

    def strike(call: Call, proceed: Proceed) -> object:
        if dice.random() < 0.2:
            key = cast("str", call.args[0])
            there = world.stores.evidence.objects
            there.setdefault(key, b"other bytes")
            if there[key] == b"other bytes":
                world.planted.add(key)
                raise EvidenceConflict
        return dice.choice((refuse, lose_answer))(call, proceed)

    during(58, "evidence.put", strike, world=world, plan=plan, ends=110, chance=0.4)


@fault(59, "bit flipped on the way to the bucket", sees=("evidence_unavailable",))
def bit_flipped(world: RunWorld, plan: Plan, dice: Random) -> None:
    def strike(call: Call, proceed: Proceed) -> object:
        del proceed
        key, content = cast("tuple[str, bytes]", call.args)
        spoilt = bytearray(content)
        spoilt[dice.randrange(len(spoilt))] ^= 1
        return world.stores.evidence.put(key, bytes(spoilt), **call.named)

    during(59, "evidence.put", strike, world=world, plan=plan, ends=110, chance=0.5)


WRONG = {
    "KYCOURIER_STATE": f"sqlite:/{SECRET_VALUE}",
    "KYCOURIER_EVIDENCE": f"ftp://{SECRET_VALUE}",
    "KYCOURIER_APP_SECRET": SECRET_VALUE,
    "KYCOURIER_MAX_IN_FLIGHT": SECRET_VALUE,
    "KYCOURIER_KYC_URL": f"http://{SECRET_VALUE}.example",
    "KYCOURIER_FINGERPRINT_KEY": None,
    "KYCOURIER_APP_ID": None,
}


def _names_the_variable(world: RunWorld, plan: Plan) -> list[str]:
    del plan
    problems = world.start_problems
    return checked(
        (bool(problems), "it started all the same"),
        (all(min(world.told) in each for each in problems), "the name is not told"),
        (not any(SECRET_VALUE in each for each in problems), "the value is told"),
    )


@fault(60, "bad configuration", broken=_names_the_variable)
def bad_configuration(world: RunWorld, plan: Plan, dice: Random) -> None:
    variable = dice.choice(sorted(WRONG))
    right, wrong = world.environ.get(variable), WRONG[variable]
    world.told.add(variable)

    def put(value: str | None) -> None:
        world.environ.pop(variable, None)
        if value is not None:
            world.environ[variable] = value

    put(wrong)
    world.on_new_machine.append(lambda _: world.meet("60"))
    plan.first_refresh = 100.0
    world.clockwork.at(60.0, lambda: put(right))
