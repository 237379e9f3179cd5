"""All workers stop calling a platform that fails, or that asks them to slow down."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from kycourier.core.orders.record import OrderState
from support.processes.service_rig import TIMER_EVENT
from transport_faults.faults import FAULTS, Fault, respond_with
from transport_faults.worker_rig import MAX_SWEEPS

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
BATCH = 10
HALF_OPEN_CALLS = 3
ORDERS = [f"order{number}" for number in range(60)]
CACHE_SECONDS = 2.0  # the maximum age of a worker's copy of the circuit breaker
JITTER_SECONDS = 6.0  # by which orders are spread after the breaker has closed


class Workers:
    """Several collectors and sweepers that run concurrently."""

    def __init__(self, rig, count):
        self.rig = rig
        self.collectors = [rig.start() for _ in range(count)]
        self.sweepers = [rig.start("sweep_orders") for _ in range(count)]

    def deliver(self, orders):
        """Deliver the orders in batches, and returned ones again, as a queue does."""
        batches = [orders[at : at + BATCH] for at in range(0, len(orders), BATCH)]
        deliveries = [
            (self.collectors[n % len(self.collectors)], each)
            for n, each in enumerate(batches)
        ]
        returned = call_concurrently(lambda each: each[0].deliver(*each[1]), deliveries)
        if again := [order for each in returned for order in each]:
            self.deliver(again)  # the state file may have been locked for too long

    def sweep(self):
        call_concurrently(lambda sweeper: sweeper.invoke(TIMER_EVENT), self.sweepers)

    def sweep_until(self, is_done):
        """Sweep again if two sweepers claimed one order and neither called."""
        for _ in range(MAX_SWEEPS):
            self.sweep()
            if is_done():
                return
            self.rig.clock.advance(CACHE_SECONDS + JITTER_SECONDS)
        raise AssertionError("no sweeper called the platform")

    def wait_until_half_open(self):
        self.rig.clock.advance(self.rig.open_seconds()[-1] + JITTER_SECONDS)


def call_concurrently(call, arguments):
    with ThreadPoolExecutor(len(arguments)) as threads:
        return list(threads.map(call, arguments))


@pytest.mark.parametrize(("count", "cap"), [(1, 10), (2, 5), (4, 2)])
def test_breaker_opens_within_twenty_calls_for_all_workers(
    count, cap, rig, platform, monkeypatch
):
    """It opens after ten failures; calls in flight with the tenth are completed."""
    monkeypatch.setenv("KYCOURIER_MAX_IN_FLIGHT", str(cap))
    rig.refresh_ticket()
    platform.set_fault(FAULTS["10 503"], "query")
    workers = Workers(rig, count)

    with rig.clock.frozen():
        workers.deliver(ORDERS)

        assert 10 <= platform.fault_count < 10 + count * cap <= 20
        assert {rig.row(order).state for order in ORDERS} == {OrderState.WAITING}
        check_half_open_calls(rig, workers)
    platform.clear_fault()
    collect_all(rig, workers)
    assert platform.max_in_flight <= count * cap
    assert (
        platform.calls["query"] == platform.fault_count + len(ORDERS) + HALF_OPEN_CALLS
    )


def check_half_open_calls(rig, workers):
    """Check that an open breaker allows no call, then one, and opens for longer."""
    for number in range(HALF_OPEN_CALLS):
        before = rig.platform.fault_count
        workers.deliver([f"new{number}"])
        workers.sweep()
        assert rig.platform.fault_count == before
        workers.wait_until_half_open()
        workers.sweep_until(lambda before=before: rig.platform.fault_count > before)
        assert rig.platform.fault_count == before + 1
    shares = [seconds / (5 * 2**n) for n, seconds in enumerate(rig.open_seconds())]
    assert len(shares) == 1 + HALF_OPEN_CALLS
    assert all(0.45 < share < 1.05 for share in shares)
    assert min(shares) < 0.99  # jitter


def collect_all(rig, workers):
    """Sweep until all orders are collected."""
    orders = [*ORDERS, *(f"new{number}" for number in range(HALF_OPEN_CALLS))]
    workers.wait_until_half_open()
    workers.sweep_until(
        lambda: {rig.row(order).state for order in orders} == {OrderState.COLLECTED}
    )
    subjects = sorted(event["subject"] for event in rig.service_rig.events())
    assert subjects == sorted(orders)


@pytest.mark.parametrize("kind", ["token", "ticket"])
def test_workers_without_a_ticket_refresh_rarely(kind, rig, platform):
    platform.set_fault(FAULTS["10 503"], kind)
    workers = Workers(rig, 4)

    workers.deliver(ORDERS)

    assert 1 <= platform.fault_count <= 20
    assert platform.calls["query"] == 0
    platform.clear_fault()
    failed = platform.fault_count
    rig.clock.advance(60)
    workers.sweep()
    rig.sweep_until_final(ORDERS[-1])
    assert platform.fault_count == failed
    assert platform.calls["token"] == platform.calls["ticket"] + (
        failed if kind == "token" else 0
    )
    assert platform.calls["ticket"] == 1 + (failed if kind == "ticket" else 0)


@pytest.mark.parametrize("kind", ["token", "ticket", "query"])
@pytest.mark.parametrize(
    ("value", "shortest", "longest"),
    [
        ("5", 5, 5),
        ("1000000000", 300, 300),
        ("soon", 2.5, 5),
    ],
)
def test_every_worker_honours_retry_after(
    value, shortest, longest, kind, rig, platform
):
    """Seconds are honoured up to five minutes; any other value is ignored."""
    slow = Fault(11, respond_with("429 Slow", f"Retry-After: {value}"))
    if kind == "query":
        rig.refresh_ticket()
    one, other = rig.start(), rig.start()
    if kind == "query":
        one.deliver("before1")
        other.deliver("before2")
    platform.set_fault(slow, kind)
    with rig.clock.frozen():
        one.deliver("order1")
        platform.clear_fault()

        [seconds] = rig.open_seconds()
        assert shortest <= seconds <= longest
        calls = platform.calls.copy()
        rig.clock.advance(CACHE_SECONDS)
        other.deliver("order2")
        rig.clock.advance(seconds - CACHE_SECONDS - 0.1)  # the log rounds it
        rig.sweep()
        assert platform.calls == calls
    for order in ("order1", "order2"):
        assert rig.sweep_until_final(order).state is OrderState.COLLECTED
    assert platform.fault_count == 1
