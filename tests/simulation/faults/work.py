"""Faults 41-51: messages, callers, leases and batches."""

from random import Random

from simulation.faults.fault import checked, facts, fault, times
from simulation.plan import Plan
from simulation.strikes import die, freeze
from simulation.world import RunWorld

POISON = (
    "not JSON", "", "[]", '{"order_no": "../x"}', '{"order_no": "a", "app_id": "B"}',
    '{"order_no": "a", "document": "passport"}', '{"order_no": 7}', "{" * 3000,
    '{"order_no": "a", "order_no": "b"}',
)  # fmt: skip


def _asked_once(world: RunWorld, plan: Plan) -> list[str]:
    del world
    most = max(scan.asked for scan in plan.scans)
    return checked((most == 1, f"an order was asked for {most} times"))


def _ten_times(plan: Plan) -> None:
    plan.duplicates, plan.ways = max(plan.duplicates, 9), ("queue",)


def _ten_times_anew(plan: Plan) -> None:
    _ten_times(plan)
    plan.new_ids = True


def _all_at_once(plan: Plan) -> None:
    _ten_times_anew(plan)
    plan.arrival_seconds, plan.orders = 1.0, max(plan.orders, 8)


def _count_duplicates(number: int, world: RunWorld) -> None:
    world.queue.on_delivered_again.append(lambda: world.meet(str(number)))


@fault(41, "the same message × 10", shape=_ten_times, broken=_asked_once)
def duplicates(world: RunWorld, plan: Plan, dice: Random) -> None:
    del plan, dice
    _count_duplicates(41, world)


@fault(42, "a new message id each time", shape=_ten_times_anew, broken=_asked_once)
def new_message_ids(world: RunWorld, plan: Plan, dice: Random) -> None:
    del plan, dice
    _count_duplicates(42, world)


@fault(43, "out of order", shape=_all_at_once, broken=_asked_once)
def out_of_order(world: RunWorld, plan: Plan, dice: Random) -> None:
    del plan, dice
    _count_duplicates(43, world)


def _fifty_workers(plan: Plan) -> None:
    plan.orders, plan.duplicates, plan.new_ids = 1, 49, True
    plan.collectors, plan.batch, plan.ways = 50, 1, ("queue",)
    plan.copies_come_at_once, plan.api_besides = True, True


@fault(
    44, "50 workers and the API on one order",
    shape=_fifty_workers, broken=_asked_once,
)  # fmt: skip
def fifty_workers(world: RunWorld, plan: Plan, dice: Random) -> None:
    del plan, dice
    world.on_new_machine.append(lambda _: world.meet("44"))


@fault(
    45, "lease ends while the owner still works",
    sees=("lease taken after its end", "stale_owner_refused"),
)  # fmt: skip
def lease_ends(world: RunWorld, plan: Plan, dice: Random) -> None:
    calls = dice.choice(("kyc.query", "evidence.put", "orders.commit"))
    strike = freeze(dice.uniform(90, 200), after=dice.random() < 0.5)
    times(45, calls, strike, world=world, skip=dice.randrange(3))
    plan.lasts_until(420.0)


def _one_batch(plan: Plan) -> None:
    plan.orders, plan.ways, plan.arrival_seconds = 9, ("queue",), 0.0
    plan.poison = [POISON[plan.seed % len(POISON)]]
    plan.visibility_seconds = 30.0


def _only_poison_returned(world: RunWorld, plan: Plan) -> list[str]:
    del world
    return checked(
        (plan.returned == plan.poison_ids, "not just the poison was returned"),
    )


@fault(
    46, "one poison record in ten", shape=_one_batch, broken=_only_poison_returned,
)  # fmt: skip
def poison_in_ten(world: RunWorld, plan: Plan, dice: Random) -> None:
    del plan, dice
    world.queue.on_poison.append(lambda: world.meet("46"))


def _ten_in_one(plan: Plan) -> None:
    plan.orders, plan.ways, plan.arrival_seconds = 10, ("queue",), 0.0


@fault(47, "process dies at record k", shape=_ten_in_one, sees=("batch again",))
def dies_in_batch(world: RunWorld, plan: Plan, dice: Random) -> None:
    del plan
    calls = dice.choice(("orders.claim", "kyc.query", "evidence.put", "orders.commit"))
    strike = die(after=dice.random() < 0.5)
    times(47, calls, strike, world=world, skip=dice.randrange(10))


def _much_poison(plan: Plan) -> None:
    plan.poison, plan.visibility_seconds = list(POISON), 30.0


@fault(
    48, "never-parseable message", shape=_much_poison,
    broken=lambda world, plan: checked(
        (
            {each.id for each in world.queue.buried} == plan.poison_ids,
            "a poison message is not dead-lettered, or another one is",
        ),
    ),
)  # fmt: skip
def never_parseable(world: RunWorld, plan: Plan, dice: Random) -> None:
    del dice
    plan.waits_for_dead_letters = True
    world.queue.on_poison.append(lambda: world.meet("48"))


def _redriven(plan: Plan) -> None:
    plan.orders, plan.duplicates, plan.new_ids = max(plan.orders, 30), 9, True
    plan.ways, plan.arrival_seconds, plan.copies_come_at_once = ("queue",), 0.5, True


@fault(49, "messages redriven, all at once", shape=_redriven, broken=_asked_once)
def redriven(world: RunWorld, plan: Plan, dice: Random) -> None:
    del plan, dice
    _count_duplicates(49, world)


def _ckafka(plan: Plan) -> None:
    plan.is_ckafka, plan.ways = True, ("queue",)
    plan.poison = list(POISON[:4])


@fault(
    50, "trigger that retries 10 000 times", shape=_ckafka,
    broken=lambda world, _: checked(
        (world.verdict.seen["whole batch failed"] == 0, "a batch was failed"),
        (bool(world.stores.orders.poison), "the poison is not kept"),
    ),
)  # fmt: skip
def retries_for_ever(world: RunWorld, plan: Plan, dice: Random) -> None:
    del plan, dice
    world.queue.on_poison.append(lambda: world.meet("50"))


def _no_time(plan: Plan) -> None:
    plan.collect_limit, plan.ways, plan.visibility_seconds = 0.8, ("queue",), 30.0


@fault(51, "800 ms left at start", shape=_no_time, sees=("record_returned",))
def no_time_left(world: RunWorld, plan: Plan, dice: Random) -> None:
    """While there is no time nothing is asked; then there is, and all is collected."""
    del dice

    def give_time() -> None:
        if plan.is_alone and any(scan.asked for scan in plan.scans):
            world.verdict.violate("fault 51", "the platform was called without time")
        world.met["51"] += len(facts(world, "record_returned"))
        plan.collect_limit = None

    world.clockwork.at(70.0, give_time)
