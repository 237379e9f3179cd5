"""A platform that does not answer, or says slow down, is left alone by every worker."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from houses import TIMER
from kycourier.core.order_record import State
from transport_faults.faults import FAULTS, Fault, refuse
from transport_faults.fleet import ROUNDS

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
BATCH = 10
ORDERS = [f"order{number}" for number in range(60)]
VIEW_SECONDS = 2.0  # a worker's view of the brake is that old at most
SPREAD_SECONDS = 6.0  # what orders wait beyond a pause, so as not to come all at once


class Workers:
    """Several collectors and sweepers, which work side by side."""

    def __init__(self, fleet, count):
        self.fleet = fleet
        self.collectors = [fleet.start() for _ in range(count)]
        self.sweepers = [fleet.start("sweep_orders") for _ in range(count)]

    def deliver(self, orders):
        """Bring the orders in batches, as a queue does: what comes back, again."""
        batches = [orders[at : at + BATCH] for at in range(0, len(orders), BATCH)]
        turns = [
            (self.collectors[n % len(self.collectors)], each)
            for n, each in enumerate(batches)
        ]
        returned = _at_once(lambda turn: turn[0].deliver(*turn[1]), turns)
        if again := [order for each in returned for order in each]:
            self.deliver(again)  # the state file was locked for too long

    def sweep(self):
        _at_once(lambda sweeper: sweeper.invoke(TIMER), self.sweepers)

    def sweep_until(self, is_done):
        """Sweep again where two sweepers were at one order, and neither asked."""
        for _ in range(ROUNDS):
            self.sweep()
            if is_done():
                return
            self.fleet.clock.jump(VIEW_SECONDS + SPREAD_SECONDS)
        raise AssertionError("nobody tried")

    def wait_out_the_pause(self):
        self.fleet.clock.jump(self.fleet.pauses()[-1] + SPREAD_SECONDS)


def _at_once(work, on):
    with ThreadPoolExecutor(len(on)) as threads:
        return list(threads.map(work, on))


@pytest.mark.parametrize("status", ["500", "503", "504"])
@pytest.mark.parametrize(("count", "cap"), [(1, 10), (2, 5), (4, 2)])
def test_fleet_stops_within_twenty_calls(
    count, cap, status, fleet, upstream, monkeypatch
):
    """Ten without an answer, and what is in flight with the tenth."""
    monkeypatch.setenv("KYCOURIER_MAX_IN_FLIGHT", str(cap))
    fleet.buy_pair()
    upstream.set_fault(FAULTS[f"10 {status}"], "query")
    workers = Workers(fleet, count)

    with fleet.clock.stopped():
        workers.deliver(ORDERS)

        assert 10 <= upstream.met < 10 + count * cap <= 20
        assert {fleet.row(order).state for order in ORDERS} == {State.WAITING}
        check_trials(fleet, workers)
    upstream.mend()
    collect_all(fleet, workers)
    assert upstream.most_at_once <= count * cap
    assert upstream.calls["query"] == upstream.met + len(ORDERS) + TRIALS


TRIALS = 3


def check_trials(fleet, workers):
    """No call in a pause; one at its end, whoever comes first; then a longer pause."""
    for trial in range(TRIALS):
        met = fleet.upstream.met
        workers.deliver([f"new{trial}"])
        workers.sweep()
        assert fleet.upstream.met == met
        workers.wait_out_the_pause()
        workers.sweep_until(lambda met=met: fleet.upstream.met > met)
        assert fleet.upstream.met == met + 1
    shares = [seconds / (5 * 2**n) for n, seconds in enumerate(fleet.pauses())]
    assert len(shares) == 1 + TRIALS
    assert all(0.45 < share < 1.05 for share in shares)
    assert min(shares) < 0.99  # jitter


def collect_all(fleet, workers):
    """Sweep until all is done; nothing is lost."""
    orders = [*ORDERS, *(f"new{trial}" for trial in range(TRIALS))]
    workers.wait_out_the_pause()
    workers.sweep_until(
        lambda: {fleet.row(order).state for order in orders} == {State.COLLECTED}
    )
    told = sorted(event["subject"] for event in fleet.house.events())
    assert told == sorted(orders)


@pytest.mark.parametrize("kind", ["token", "ticket"])
def test_fleet_that_can_buy_no_ticket_asks_seldom(kind, fleet, upstream):
    upstream.set_fault(FAULTS["10 503"], kind)
    workers = Workers(fleet, 4)

    workers.deliver(ORDERS)

    assert 1 <= upstream.met <= 20
    assert upstream.calls["query"] == 0
    upstream.mend()
    failed = upstream.met
    fleet.clock.jump(60)
    workers.sweep()
    fleet.sweep_until_final(ORDERS[-1])
    assert upstream.met == failed
    assert upstream.calls["token"] == upstream.calls["ticket"] + (
        failed if kind == "token" else 0
    )
    assert upstream.calls["ticket"] == 1 + (failed if kind == "ticket" else 0)


@pytest.mark.parametrize("kind", ["token", "ticket", "query"])
@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("5", 5, 5),
        ("1000000000", 300, 300),
        ("1e9", 2.5, 5),
        ("-5", 2.5, 5),
        ("soon", 2.5, 5),
        ("Wed, 21 Oct 2037 07:28:00 GMT", 2.5, 5),
        ("9" * 5000, 2.5, 5),
    ],
)
def test_retry_after_is_kept_to_by_every_worker(
    asked, least, most, kind, fleet, upstream
):
    """Seconds are honoured up to five minutes; all else is ignored."""
    slow = Fault(11, refuse("429 Slow", f"Retry-After: {asked}"))
    if kind == "query":
        fleet.buy_pair()
    one, other = fleet.start(), fleet.start()
    if kind == "query":
        one.deliver("before1")
        other.deliver("before2")
    upstream.set_fault(slow, kind)
    with fleet.clock.stopped():
        one.deliver("order1")
        upstream.mend()

        [pause] = fleet.pauses()
        assert least <= pause <= most
        calls = upstream.calls.copy()
        fleet.clock.jump(VIEW_SECONDS)
        other.deliver("order2")
        fleet.clock.jump(pause - VIEW_SECONDS - 0.1)  # the log's last digit
        fleet.sweep()
        assert upstream.calls == calls
    for order in ("order1", "order2"):
        assert fleet.sweep_until_final(order).state is State.COLLECTED
    assert upstream.met == 1
