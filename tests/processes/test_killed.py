"""A process that is killed at any moment leaves an order that another ends."""

import random
import threading
import time

import pytest

from houses import TIMER, batch
from kycourier_devkit.errors import FunctionDied

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
KILLS = 8


def collect_and_kill(house, order, seconds):
    """Invoke with little time to live, so that the lease is short; kill in between."""
    process = house.start("collect_results")
    process.wait_until_ready()
    killer = threading.Timer(seconds, process.kill)
    killer.start()
    try:
        process.invoke(batch(order), timeout_seconds=3)
    except FunctionDied:
        return True
    finally:
        killer.cancel()
        killer.join()
    return False


@pytest.mark.parametrize("seed", range(2))
def test_orders_whose_worker_was_killed_are_ended_by_the_sweep(house, seed):
    house.start("refresh_ticket").invoke(TIMER)
    draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
    moments = {f"order{number}": draw.uniform(0, 0.06) for number in range(KILLS)}
    moments |= {"slow1x1": 0.3, "slow1x2": 0.7}  # surely inside the query
    orders = list(moments)
    died = [collect_and_kill(house, order, moments[order]) for order in orders]
    assert sum(died) >= 2
    time.sleep(5.1)  # the last lease: 3 s of life and 2 s of grace
    house.start("sweep_orders").invoke(TIMER)
    collector = house.start("collect_results")
    ends = [collector.invoke({"order_no": order}) for order in orders]
    assert {end["state"] for end in ends} == {"collected"}
    told = house.events()
    for end in ends:
        ours = [event for event in told if event["subject"] == end["order_no"]]
        assert {event["id"] for event in ours} == {end["event_id"]}
        assert len({repr(event) for event in ours}) == 1
    report = house.sandbox.report()
    assert report.overlaps <= sum(died)


def test_a_refresher_killed_between_token_and_ticket_is_replaced(house):
    house.sandbox.set_fault("ticket", "slow5")
    refresher = house.start("refresh_ticket")
    refresher.wait_until_ready()
    killer = threading.Timer(0.4, refresher.kill)
    killer.start()
    with pytest.raises(FunctionDied):
        refresher.invoke(TIMER)
    killer.join()
    waiting = house.start("collect_results").invoke({"order_no": "order1"})
    assert (waiting["state"], waiting["reason"]) == ("waiting", "transient")
    assert house.sandbox.report().token_calls == 1
