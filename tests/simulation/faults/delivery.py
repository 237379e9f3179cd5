"""Faults 41-51: queue deliveries, API calls, leases and batches."""

from collections.abc import Callable

from simulation.engine.plan import Plan
from simulation.faults.actions import die, freeze
from simulation.faults.registry import FaultRun, fault

UNPROCESSABLE = (
    "not JSON",
    "",
    "[]",
    '{"order_no": "../x"}',
    '{"order_no": "a", "app_id": "B"}',
    '{"order_no": "a", "document": "passport"}',
    '{"order_no": 7}',
    "{" * 3000,
    '{"order_no": "a", "order_no": "b"}',
)


def _one_query_each(run: FaultRun) -> None:
    most = max(scan.query_count for scan in run.scans)
    run.expect(most == 1, f"an order was queried {most} times")


def _ten_times(plan: Plan) -> None:
    plan.duplicates, plan.channels = max(plan.duplicates, 9), ("queue",)


def _ten_times_with_new_ids(plan: Plan) -> None:
    _ten_times(plan)
    plan.new_ids = True


def _all_at_once(plan: Plan) -> None:
    _ten_times_with_new_ids(plan)
    plan.arrival_seconds, plan.orders = 1.0, max(plan.orders, 8)


def _register_redelivery(
    number: int, title: str, configure: Callable[[Plan], None]
) -> None:
    """Register a fault that delivers messages again, which costs no second query."""

    @fault(number, title, configure=configure, check=_one_query_each)
    def inject(run: FaultRun) -> None:
        run.context.queue.on_redelivered.append(run.count)


def _fifty_workers(plan: Plan) -> None:
    plan.orders, plan.duplicates, plan.new_ids = 1, 49, True
    plan.collectors, plan.batch, plan.channels = 50, 1, ("queue",)
    plan.copies_at_once, plan.also_by_api = True, True


@fault(
    44,
    "50 workers and the API on one order",
    configure=_fifty_workers,
    check=_one_query_each,
)
def fifty_workers(run: FaultRun) -> None:
    run.count_each_machine()


@fault(
    45,
    "lease ends while the owner still works",
    expects=("expired lease taken over", "stale_owner_refused"),
)
def lease_ends(run: FaultRun) -> None:
    calls = run.rng.choice(("kyc.query", "evidence.put", "orders.commit"))
    action = freeze(run.rng.uniform(90, 200), after=run.rng.random() < 0.5)
    run.once(calls, action, skip=run.rng.randrange(3))
    run.plan.extend_faults_to(420.0)


def _one_batch(plan: Plan) -> None:
    plan.orders, plan.channels, plan.arrival_seconds = 9, ("queue",), 0.0
    plan.unprocessable = [UNPROCESSABLE[plan.seed % len(UNPROCESSABLE)]]
    plan.visibility_seconds = 30.0


def _only_unprocessable_returned(run: FaultRun) -> None:
    run.expect(
        run.plan.returned == run.plan.unprocessable_ids,
        "not only the unprocessable record was returned",
    )


@fault(
    46,
    "one unprocessable record in ten",
    configure=_one_batch,
    check=_only_unprocessable_returned,
)
def one_in_ten(run: FaultRun) -> None:
    run.context.queue.on_unprocessable.append(run.count)


def _ten_in_one(plan: Plan) -> None:
    plan.orders, plan.channels, plan.arrival_seconds = 10, ("queue",), 0.0


@fault(
    47,
    "process dies at record k",
    configure=_ten_in_one,
    expects=("batch redelivered",),
)
def dies_in_batch(run: FaultRun) -> None:
    calls = run.rng.choice(
        ("orders.claim", "kyc.query", "evidence.put", "orders.commit")
    )
    action = die(after=run.rng.random() < 0.5)
    run.once(calls, action, skip=run.rng.randrange(10))


def _many_unprocessable(plan: Plan) -> None:
    plan.unprocessable, plan.visibility_seconds = list(UNPROCESSABLE), 30.0


@fault(
    48,
    "never-parseable message",
    configure=_many_unprocessable,
    check=lambda run: run.expect(
        {each.id for each in run.context.queue.discarded} == run.plan.unprocessable_ids,
        "not exactly the unprocessable messages are dead letters",
    ),
)
def never_parseable(run: FaultRun) -> None:
    run.plan.waits_for_dead_letters = True
    run.context.queue.on_unprocessable.append(run.count)


def _redriven(plan: Plan) -> None:
    plan.orders, plan.duplicates, plan.new_ids = max(plan.orders, 30), 9, True
    plan.channels, plan.arrival_seconds = ("queue",), 0.5
    plan.copies_at_once = True


_register_redelivery(41, "the same message × 10", _ten_times)
_register_redelivery(42, "a new message id each time", _ten_times_with_new_ids)
_register_redelivery(43, "out of order", _all_at_once)
_register_redelivery(49, "messages redriven, all at once", _redriven)


def _ckafka(plan: Plan) -> None:
    plan.is_ckafka, plan.channels = True, ("queue",)
    plan.unprocessable = list(UNPROCESSABLE[:4])


def _poison_is_stored(run: FaultRun) -> None:
    run.expect(
        not run.context.findings.observed["whole batch failed"], "a batch failed"
    )
    run.expect(bool(run.context.stores.orders.poison), "no poison record is stored")


@fault(
    50, "trigger that retries 10 000 times", configure=_ckafka, check=_poison_is_stored
)
def retries_for_ever(run: FaultRun) -> None:
    run.context.queue.on_unprocessable.append(run.count)


def _no_time(plan: Plan) -> None:
    plan.collect_limit, plan.channels, plan.visibility_seconds = 0.8, ("queue",), 30.0


@fault(51, "800 ms left at start", configure=_no_time, expects=("record_returned",))
def no_time_left(run: FaultRun) -> None:
    """No query may be sent until invocations have their normal time."""

    def restore_time() -> None:
        queries = sum(scan.query_count for scan in run.scans)
        if run.plan.is_single_fault:
            run.expect(not queries, f"{queries} queries without time")
        run.context.injected["51"] += len(run.log_events("record_returned"))
        run.plan.collect_limit = None

    run.at(70.0, restore_time)
