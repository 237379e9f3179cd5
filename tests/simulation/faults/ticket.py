"""Faults 30-40: tickets, their refresh, their store and their clocks."""

from random import Random

from kycourier.core.ticket import TicketPair, decode_pair
from simulation.faults.fault import checked, during, facts, fault, times
from simulation.gate import Call, Rule
from simulation.plan import Plan
from simulation.strikes import Proceed, die, freeze, refuse
from simulation.world import RunWorld
from worlds import APP

ROTATION = 1140.0  # a pair is stale 19 min after it was bought


def at_rotation(plan: Plan) -> None:
    """Let orders come while the first pair is replaced."""
    plan.arrival_from, plan.arrival_seconds = ROTATION - 40, 160.0
    plan.lasts_until(ROTATION + 200)


def sometimes_at_rotation(plan: Plan) -> None:
    if plan.seed % 2:
        at_rotation(plan)


def _announced(plan: Plan) -> None:
    plan.ways = ("queue", "api")


def _many_cold_starts(plan: Plan) -> None:
    plan.orders = max(plan.orders, 200 if plan.is_alone else 20)
    plan.collectors, plan.batch, plan.ways = plan.orders, 1, ("queue",)
    plan.arrival_seconds, plan.first_refresh = 0.5, 0.5


@fault(
    30, "200 cold starts without a ticket", shape=_many_cold_starts,
    broken=lambda world, _: checked(
        (
            sum(pair.issued_at < ROTATION for pair in world.platform.pairs) == 1,
            "not exactly one token",
        ),
    ),
)  # fmt: skip
def cold_starts(world: RunWorld, plan: Plan, dice: Random) -> None:
    del plan, dice
    world.on_new_machine.append(lambda _: world.meet("30"))


@fault(
    31, "refresher dies after the token, before the ticket",
    shape=sometimes_at_rotation,
    broken=lambda world, _: checked(
        (world.platform.token_calls >= 2, "nobody bought another token"),
    ),
)  # fmt: skip
def refresher_dies(world: RunWorld, plan: Plan, dice: Random) -> None:
    skip = 1 if plan.arrival_from else 0
    calls = dice.choice(("kyc.token", "kyc.ticket"))
    strike = die(after=calls == "kyc.token")
    times(31, calls, strike, world=world, skip=skip)
    plan.any_token_count = True


@fault(32, "paused holder wakes and saves", sees=("ticket_save_refused",))
def holder_is_paused(world: RunWorld, plan: Plan, dice: Random) -> None:
    calls = dice.choice(("tickets.save", "kyc.ticket", "tickets.save"))
    strike = freeze(dice.uniform(20, 60), after=calls == "kyc.ticket")
    times(32, calls, strike, world=world)
    plan.lasts_until(150)


def _no_sign_error(world: RunWorld, plan: Plan) -> list[str]:
    del plan
    refused = [query for query in world.platform.signed if not query.accepted]
    return checked((not refused, f"{len(refused)} sign errors"))


def _many_at_rotation(plan: Plan) -> None:
    at_rotation(plan)
    plan.orders = max(plan.orders, 12)


@fault(
    33, "rotation while callers are in flight", shape=_many_at_rotation,
    broken=_no_sign_error, sees=("old pair used inside the minute",),
)  # fmt: skip
def rotation(world: RunWorld, plan: Plan, dice: Random) -> None:
    del dice
    world.slowest_call = 7.9
    world.clockwork.at(plan.arrival_from, lambda: world.meet("33"))


def _many_just_then(plan: Plan) -> None:
    _many_at_rotation(plan)
    plan.arrival_from, plan.arrival_seconds = ROTATION + 50, 40.0
    plan.orders, plan.ways = max(plan.orders, 20), ("queue", "api")


@fault(34, "store returns the previous generation for 10 s", shape=_many_just_then)
def previous_generation(world: RunWorld, plan: Plan, dice: Random) -> None:
    del plan, dice
    kept: list[tuple[float, TicketPair]] = []

    def remember(call: Call, proceed: Proceed) -> object:
        del call
        before = world.stores.tickets.records.get(APP)
        answer = proceed()
        if before is not None:
            kept.append((world.clockwork.now, decode_pair(before)))
        return answer

    def is_stale(call: Call) -> bool:
        del call
        return bool(kept) and world.clockwork.now - kept[-1][0] < 10

    world.add(Rule("34 (saves)", "tickets.save", remember))
    world.add(
        Rule("34", "tickets.load", lambda *_: kept[-1][1], only=is_stale, ends=1e9)
    )


def _half_an_hour(plan: Plan) -> None:
    plan.arrival_seconds = 100.0


def _no_token_meanwhile(world: RunWorld, plan: Plan) -> list[str]:
    del plan
    begun, ended = world.tokens_at
    return checked((begun == ended, "a token was asked for without the lease"))


@fault(35, "store down for 30 min", shape=_half_an_hour, broken=_no_token_meanwhile)
def store_is_down(world: RunWorld, plan: Plan, dice: Random) -> None:
    begins, ends = 50.0, 50.0 + 1800.0
    ports = dice.choice(
        (("tickets", "leases"), ("tickets", "leases", "orders", "brakes"))
    )
    for port in ports:
        during(
            35, f"{port}.*", refuse, world=world, plan=plan, begins=begins, ends=ends
        )

    def count() -> None:
        world.tokens_at.append(world.platform.token_calls)

    world.clockwork.at(begins + 10, count)
    world.clockwork.at(ends, count)


@fault(36, "pair revoked upstream mid-life", sees=("forced refresh",))
def revoked(world: RunWorld, plan: Plan, dice: Random) -> None:
    plan.any_token_count = True

    def revoke() -> None:
        world.platform.kill_pairs()
        world.meet("36")

    world.clockwork.at(dice.uniform(12, 40), revoke)


@fault(37, "app secret changed")
def secret_changes(world: RunWorld, plan: Plan, dice: Random) -> None:
    """Refuse everything until the new secret is here; two minutes later all is well."""
    changed_at, known_at = dice.uniform(12, 30), dice.uniform(60, 300)
    plan.lasts_until(known_at)
    plan.any_token_count = True

    def change() -> None:
        world.platform.secret = f"{world.platform.secret}new"
        world.platform.kill_pairs()
        world.meet("37")

    def learn() -> None:
        world.secret.value = world.platform.secret

    def is_well() -> None:
        late = [
            row.order_no
            for row in world.stores.rows()
            if row.attempts and not row.state.is_final
        ]
        if late:
            world.verdict.violate("fault 37", f"no recovery in two minutes: {late}")

    world.clockwork.at(changed_at, change)
    world.clockwork.at(known_at, learn)
    if plan.is_alone:
        world.clockwork.at(known_at + 120, is_well)


def _lives_are_sane(world: RunWorld, plan: Plan) -> list[str]:
    del plan
    lives = [fields["seconds"] for fields in facts(world, "ticket_refreshed")]
    return checked((all(0 < life <= 7200 for life in lives), f"lives of {lives}"))


@fault(38, "odd expires_in", shape=sometimes_at_rotation, broken=_lives_are_sane)
def odd_lifetime(world: RunWorld, plan: Plan, dice: Random) -> None:
    plan.any_token_count = True
    odd = ("", 0, -1, 1e12, "3600s", None, "1e3", [])
    begins = max(0.0, plan.arrival_from)

    def turn_odd() -> None:
        world.platform.lifetime = (
            dice.choice((*odd, 7200)),
            dice.choice((*odd, "3600")),
        )
        world.platform.on_bought.append(lambda: world.meet("38"))

    def turn_good() -> None:
        world.platform.lifetime = ("7200", "3600")
        world.platform.on_bought.clear()

    world.clockwork.at(begins, turn_odd)
    world.clockwork.at(begins + 90, turn_good)
    plan.lasts_until(begins + 95)


@fault(
    39, "clock ± 10 min, step, frozen sandbox thaws", shape=sometimes_at_rotation,
    broken=_no_sign_error,
)  # fmt: skip
def clocks_are_wrong(world: RunWorld, plan: Plan, dice: Random) -> None:
    del plan

    def unset(machine) -> None:
        world.meet("39")
        machine.skew = dice.uniform(-600, 600)
        machine.monotonic_stops = dice.random() < 0.5
        if not machine.monotonic_stops:  # one of the two clocks tells the truth
            step, at = dice.uniform(-600, 600), dice.uniform(0, 200)
            world.clockwork.after(at, lambda: setattr(machine, "skew", step))

    world.on_new_machine.append(unset)


@fault(
    40, "someone else refreshes the same app id", shape=_announced,
    broken=lambda world, plan: checked(
        (bool(facts(world, "ticket_renewal_forced")), "no counter says so"),
        (all(s.refused <= 2 for s in plan.scans), "more than one retry of an order"),
    ),
)  # fmt: skip
def foreign_refresh(world: RunWorld, plan: Plan, dice: Random) -> None:
    plan.any_token_count = True
    world.judge.tickets.excuses_late_pairs = True

    def buy() -> None:
        world.platform.refresh_elsewhere()
        world.meet("40")

    at = dice.uniform(11, 20)
    world.clockwork.at(at, buy)
    plan.arrival_from, plan.arrival_seconds = at + 62, 90.0
    plan.lasts_until(at + 200)
