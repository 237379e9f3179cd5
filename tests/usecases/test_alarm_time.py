"""Total failure reaches the alarm on failing orders within ten minutes."""

import pytest

from kycourier.core.errors import TransportError
from kycourier.core.orders.record import Reason
from support.rigs.in_memory import InMemoryApp

ALARM_SECONDS = 180  # the threshold of OrderFailingAlarm
EVALUATION_SECONDS = 60  # its period


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("orders", [1, 3])
def test_failing_orders_pass_the_alarm_s_threshold_within_ten_minutes(seed, orders):
    app = InMemoryApp(seed)
    worker = app.worker()
    worker.tickets.current(app.time(60))
    app.upstream.respond = lambda _: TransportError("connect_failed")
    began = app.clock.now()
    for number in range(orders):
        worker.collect(f"order{number}")
    elapsed = 0.0
    while not over_threshold(app) and elapsed < 3600:
        app.clock.sleep(60)
        worker.sweeper.sweep(app.time(50))
        elapsed = (app.clock.now() - began).total_seconds()
    assert elapsed + EVALUATION_SECONDS <= 600
    assert app.load("order0").reason in {Reason.TRANSIENT, Reason.PAUSED}


def over_threshold(app):
    """Return whether an attempt's end measured more than the threshold."""
    measured = [fields.get("failing_seconds") for _, fields in app.event_log.entries]
    return any(seconds and seconds > ALARM_SECONDS for seconds in measured)
