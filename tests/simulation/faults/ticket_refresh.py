"""Faults 30-35: ticket refreshes that race, die or freeze, and the ticket store."""

from kycourier.core.tickets.pair import TicketPair, decode_pair
from simulation.engine.plan import Plan
from simulation.environment.interceptor import FaultRule, PortCall
from simulation.faults.actions import Proceed, die, freeze, refuse
from simulation.faults.registry import FaultRun, fault
from support.rigs.in_memory import APP

ROTATION = 1140.0  # a pair is refreshed 19 min after its issue


def _at_rotation(plan: Plan) -> None:
    """Let orders arrive while the first pair is replaced."""
    plan.arrival_from, plan.arrival_seconds = ROTATION - 40, 160.0
    plan.extend_faults_to(ROTATION + 200)


def at_rotation_for_odd_seeds(plan: Plan) -> None:
    if plan.seed % 2:
        _at_rotation(plan)


def _many_cold_starts(plan: Plan) -> None:
    plan.orders = max(plan.orders, 200 if plan.is_single_fault else 20)
    plan.collectors, plan.batch, plan.channels = plan.orders, 1, ("queue",)
    plan.arrival_seconds, plan.first_refresh = 0.5, 0.5


@fault(
    30,
    "200 cold starts without a ticket",
    configure=_many_cold_starts,
    check=lambda run: run.expect(
        sum(pair.issued_at < ROTATION for pair in run.context.platform.pairs) == 1,
        "not exactly one token",
    ),
)
def cold_starts(run: FaultRun) -> None:
    run.count_each_machine()


@fault(
    31,
    "refresher dies after the token, before the ticket",
    configure=at_rotation_for_odd_seeds,
    check=lambda run: run.expect(
        run.context.platform.token_calls >= 2, "no second token was issued"
    ),
)
def refresher_dies(run: FaultRun) -> None:
    skip = 1 if run.plan.arrival_from else 0
    calls = run.rng.choice(("kyc.token", "kyc.ticket"))
    action = die(after=calls == "kyc.token")
    run.once(calls, action, skip=skip)


@fault(32, "paused holder wakes and saves", expects=("ticket_save_refused",))
def holder_is_paused(run: FaultRun) -> None:
    calls = run.rng.choice(("tickets.put", "kyc.ticket", "tickets.put"))
    action = freeze(run.rng.uniform(20, 60), after=calls == "kyc.ticket")
    run.once(calls, action)
    run.plan.extend_faults_to(150)


def check_no_sign_error(run: FaultRun) -> None:
    refused = [query for query in run.context.platform.queries if not query.accepted]
    run.expect(not refused, f"{len(refused)} sign errors")


def _many_at_rotation(plan: Plan) -> None:
    _at_rotation(plan)
    plan.orders = max(plan.orders, 12)


@fault(
    33,
    "rotation while callers are in flight",
    configure=_many_at_rotation,
    check=check_no_sign_error,
    expects=("superseded pair used within the minute",),
)
def rotation(run: FaultRun) -> None:
    run.context.max_call_seconds = 7.9
    run.at(run.plan.arrival_from, run.count)


def _many_after_rotation(plan: Plan) -> None:
    _many_at_rotation(plan)
    plan.arrival_from, plan.arrival_seconds = ROTATION + 50, 40.0
    plan.orders, plan.channels = max(plan.orders, 20), ("queue", "api")


@fault(
    34, "store returns the previous generation for 10 s", configure=_many_after_rotation
)
def previous_generation(run: FaultRun) -> None:
    previous: list[tuple[float, TicketPair]] = []

    def remember(_: PortCall, proceed: Proceed) -> object:
        before = run.context.stores.tickets.records.get(APP)
        result = proceed()
        if before is not None:
            previous.append((run.context.scheduler.now, decode_pair(before)))
        return result

    def is_stale(_: PortCall) -> bool:
        return bool(previous) and run.context.scheduler.now - previous[-1][0] < 10

    run.context.add_rule(FaultRule("34 (saves)", "tickets.put", remember))
    run.add_rule("tickets.get", lambda *_: previous[-1][1], only=is_stale)


def _arrivals_in_absence(plan: Plan) -> None:
    plan.arrival_seconds = 100.0


def _no_token_without_store(run: FaultRun) -> None:
    before, after = run.context.token_counts
    run.expect(before == after, "a token was requested without the lease")


@fault(
    35,
    "store down for 30 min",
    configure=_arrivals_in_absence,
    check=_no_token_without_store,
)
def store_is_down(run: FaultRun) -> None:
    starts_at, ends_at = 50.0, 50.0 + 1800.0
    ports = run.rng.choice(
        (("tickets", "leases"), ("tickets", "leases", "orders", "breakers"))
    )
    for port in ports:
        run.during(f"{port}.*", refuse, starts_at=starts_at, ends_at=ends_at)

    def count() -> None:
        run.context.token_counts.append(run.context.platform.token_calls)

    run.at(starts_at + 10, count)
    run.at(ends_at, count)
