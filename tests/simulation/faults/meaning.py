"""Faults 18-29: replies that arrive whole and mean trouble."""

import json
from itertools import pairwise
from random import Random

from simulation.faults.fault import checked, during, facts, fault, times
from simulation.plan import Plan
from simulation.platform import KINDS, NEVER, Scan, code, result_of
from simulation.strikes import answer, freeze, reply
from simulation.world import RunWorld
from worlds import refusal


def _announced(plan: Plan) -> None:
    plan.ways = ("queue", "api")


def event_of(world: RunWorld, scan: Scan) -> dict[str, object]:
    """Give the data of the order's last event."""
    row = world.stores.row(scan.order_no)
    assert row is not None
    return json.loads(row.events[-1].body)["data"]


def counted(number: int, world: RunWorld) -> None:
    """Count this fault whenever a query is answered: it lies in the answers."""
    world.platform.on_answer.append(lambda: world.meet(str(number)))


@fault(18, "success:false with code 0")
def success_is_false(world: RunWorld, plan: Plan, dice: Random) -> None:
    for scan in plan.scans:
        scan.changes["success"] = dice.choice((False, "false", None))
    counted(18, world)


def _photos_told(world: RunWorld, plan: Plan) -> list[str]:
    broken = []
    kinds = dict(zip(KINDS, ("original", "cropped", "number"), strict=True))
    for scan in plan.scans:
        data = event_of(world, scan)
        never = {kinds[k] for k, after in scan.photos_after.items() if after == NEVER}
        late = max(scan.photos_after.values(), default=0.0)
        in_place = scan.asked_at[:4]
        gaps = [b - a for a, b in pairwise(in_place)]
        broken += checked(
            (set(data["photos_missing"]) == never, "a missing photo is not named"),
            (late > 2.5 or len(scan.asked_at) <= 4, "asked too often"),
            (
                all(g >= least for g, least in zip(gaps, (1, 2, 4), strict=False)),
                "asked again too soon",
            ),
        )
    return broken


@fault(19, "photos late by 1, 3, 30 s, never", broken=_photos_told)
def photos_are_late(world: RunWorld, plan: Plan, dice: Random) -> None:
    for scan in plan.scans:
        after = dice.choice((1.0, 3.0, 30.0, NEVER))
        scan.photos_after = dict.fromkeys(KINDS, after)
    counted(19, world)


@fault(20, "one of three photos late or never there", broken=_photos_told)
def one_photo_is_late(world: RunWorld, plan: Plan, dice: Random) -> None:
    for scan in plan.scans:
        scan.photos_after = {dice.choice(KINDS): dice.choice((1.0, 3.0, 30.0, NEVER))}
        if NEVER in scan.photos_after.values():
            continue
        if "origin" not in next(iter(scan.photos_after)):
            scan.photos_after = dict.fromkeys(scan.photos_after, 2.0)
    counted(20, world)


@fault(
    21,
    "the reply's orderNo is another",
    broken=lambda world, _: checked(
        (not world.stores.evidence.objects, "something was stored"),
    ),
)
def other_order(world: RunWorld, plan: Plan, dice: Random) -> None:
    for scan in plan.scans:
        scan.changes["orderNo"] = dice.choice(("another1", scan.order_no + "0", ""))
        if not scan.changes["orderNo"]:
            scan.changes["orderNo"] = scan.order_no.upper() + "Z"
        scan.ends("rejected")
    counted(21, world)


def _conflict_is_told(world: RunWorld, plan: Plan) -> list[str]:
    del plan
    return checked(
        (bool(facts(world, "stale_owner_refused")), "no stale owner was refused"),
        (bool(facts(world, "result_conflict")), "the conflict is not recorded"),
    )


@fault(
    22, "second query returns another card number", shape=_announced,
    broken=_conflict_is_told, sees=("stale_owner_refused", "result_conflict"),
)  # fmt: skip
def number_changes(world: RunWorld, plan: Plan, dice: Random) -> None:
    """Freeze a worker with the first result; another collects the second one."""
    del dice
    for scan in plan.scans:
        other = "4000056655665556"
        scan.numbers_after = [other]
    times(22, "evidence.put", freeze(200.0, after=False), world=world)
    plan.lasts_until(420.0)


def _never_ready(plan: Plan) -> None:
    plan.never_ready = True


@fault(23, "66660011 or 66660020", shape=_never_ready)
def not_ready(world: RunWorld, plan: Plan, dice: Random) -> None:
    world.ttl_seconds = 7200.0
    for scan in plan.scans:
        scan.ready_at = dice.choice((40.0, 300.0, NEVER))
        scan.not_ready = dice.choice(("66660011", "66660020"))
        if scan.ready_at == NEVER:
            scan.ends("expired")
    counted(23, world)


@fault(
    24,
    "-9011 … -9014",
    broken=lambda _, plan: checked(
        (all(scan.asked <= 1 for scan in plan.scans), "a rejection was retried"),
    ),
)
def rejected(world: RunWorld, plan: Plan, dice: Random) -> None:
    for scan in plan.scans:
        scan.always = code(dice.choice(("-9011", "-9012", "-9013", "-9014", "9011")))
        scan.ends("rejected")
    counted(24, world)


WARNINGS = {
    "0": [],
    "-9110": ["-9110"],
    "[-9110,-9111]": ["-9110", "-9111"],
    "-90007": ["-90007"],
}


def _warnings_told(world: RunWorld, plan: Plan) -> list[str]:
    broken = []
    for scan in plan.scans:
        sent = scan.changes.get("multiWarnCode")
        told = [w["code"] for w in event_of(world, scan)["quality"]["warnings"]]
        if isinstance(sent, str) and sent in WARNINGS:
            broken += checked((told == WARNINGS[sent], f"{sent} was told as {told}"))
    return broken


@fault(25, "warnings: one, list, unknown, broken list", broken=_warnings_told)
def warned(world: RunWorld, plan: Plan, dice: Random) -> None:
    for scan in plan.scans:
        sent = dice.choice((*WARNINGS, "[-9110,", "[[]]", "", None, 7, [-9110, "x"]))
        scan.changes["multiWarnCode"] = sent
        del scan.changes["multiWarnCode"]
        scan.changes |= {"multiWarnCode": sent, "warnCode": "0"}
    counted(25, world)


@fault(
    26,
    "unknown code",
    broken=lambda _, plan: checked(
        (all(scan.asked <= 2 for scan in plan.scans), "more than two tries"),
    ),
)
def unknown_code(world: RunWorld, plan: Plan, dice: Random) -> None:
    for scan in plan.scans:
        scan.always = code(dice.choice(("987654", "-1", "1", "0x0")))
        scan.ends("parked")
    counted(26, world)


@fault(
    27,
    "code as int, null, 0.0, ' 0'",
    broken=lambda _, plan: checked(
        (
            all((scan.asked == 1) == (scan.odd_code == 0) for scan in plan.scans),
            "an odd code counted as success, or int 0 did not",
        ),
    ),
)
def odd_code(world: RunWorld, plan: Plan, dice: Random) -> None:
    """Only int 0 and "0" are success: any other spelling is asked for again."""
    for scan in plan.scans:
        scan.odd_code = dice.choice((0, None, 0.0, "0.0", " 0", "00", True, [], "٠"))
        if isinstance(scan.odd_code, float | bool):
            scan.odd_code = str(scan.odd_code)
        scan.answers.append(_with_code(scan.odd_code, world))
    counted(27, world)


def _with_code(odd: object, world: RunWorld):
    def make(scan: Scan):
        whole = json.loads(result_of(scan, now=world.clockwork.now).body.reveal())
        text = json.dumps(whole | {"code": odd}).encode()
        return reply(text)

    return make


def _one_alarm(world: RunWorld, plan: Plan) -> list[str]:
    del plan
    return checked(
        (len(facts(world, "app_stopped")) == 1, "not one alarm"),
        (world.verdict.seen["app resumed by a person"] == 1, "nobody had to resume"),
    )


@fault(28, "unknown or expired app", shape=_announced, broken=_one_alarm)
def app_is_stopped(world: RunWorld, plan: Plan, dice: Random) -> None:
    plan.may_park = True
    told = dice.choice(("66660001", "66660002"))
    during(
        28, "kyc.query", answer(lambda: refusal(told)),
        world=world, plan=plan, begins=0.0, ends=100.0,
    )  # fmt: skip


@fault(
    29,
    "too frequent, concurrency control",
    shape=_announced,
    broken=lambda world, _: checked(
        (bool(facts(world, "brake_tripped")), "the fleet did not slow down"),
    ),
    sees=("trial call", "brake_released"),
)
def too_frequent(world: RunWorld, plan: Plan, dice: Random) -> None:
    told = dice.choice(("400501", "400504", "400506", "66660012", "999995"))
    calls = dice.choice(("kyc.query", "kyc.*", "kyc.token"))
    during(29, calls, answer(lambda: refusal(told)), world=world, plan=plan)
