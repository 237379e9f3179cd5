"""An operator reopens a parked order; it is collected again."""

import pytest

from kycourier.core.orders import follow_up
from kycourier.core.orders.record import OrderState
from kycourier.core.orders.state_machine import Urgency
from support.rigs.fake_platform import error_reply, result_reply
from support.rigs.in_memory import expected_order

ORDER = expected_order("order1")
PARKED = error_reply("66660013")


def test_reopened_order_is_collected(app):
    app.upstream.scripts["order1"] = [PARKED, result_reply("order1")]
    worker = app.worker()
    assert worker.collect("order1").state is OrderState.PARKED
    assert worker.register.make_due(ORDER).state is OrderState.PARKED
    worker.register.make_due(ORDER, reopen=True)
    assert worker.collect("order1", Urgency.NOW).state is OrderState.COLLECTED
    kinds = [event["type"].split(".")[2] for event in app.bodies()]
    assert kinds == ["parked", "collected"]


@pytest.mark.parametrize("reply", [result_reply("order1"), error_reply("-9011")])
def test_only_a_parked_order_is_reopened(app, reply):
    app.upstream.scripts["order1"] = [reply]
    worker = app.worker()
    stored = worker.collect("order1")
    assert worker.register.make_due(ORDER, reopen=True) == stored
    assert app.load("order1") == stored


def test_reopening_survives_a_concurrent_write(app, monkeypatch):
    app.upstream.scripts["order1"] = [PARKED]
    worker = app.worker()
    worker.collect("order1")
    commit = app.stores.orders.commit

    def commit_second(record, *, expected):
        monkeypatch.undo()
        stored = app.load("order1")
        commit(follow_up.mark_sent(stored, now=app.clock.now()), expected=stored)
        commit(record, expected=expected)

    monkeypatch.setattr(app.stores.orders, "commit", commit_second)
    record = worker.register.make_due(ORDER, reopen=True)
    assert record.state is OrderState.WAITING
    assert app.log_events().count("order_reopened") == 1
