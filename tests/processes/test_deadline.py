"""A handler returns before the platform ends it, whatever does not answer."""

import sqlite3
import time
from contextlib import closing
from datetime import datetime, timezone

import pytest

from houses import batch
from kycourier_devkit.functions.trigger_events import HttpCall, build_http_event

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
LIMIT, MARGIN = 3.0, 0.5


def took(work):
    begun = time.monotonic()
    answer = work()
    return answer, time.monotonic() - begun


def test_a_locked_store_does_not_make_a_handler_late(house):
    collect, api = house.start("collect_results"), house.start("orders_api")
    for process in (collect, api):
        process.wait_until_ready()
    put = build_http_event(HttpCall(method="PUT", path="/v1/orders/order1"), at=AT)
    with closing(sqlite3.connect(house.folder / "state.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        returned, seconds = took(
            lambda: collect.invoke(batch("order1"), timeout_seconds=LIMIT)
        )
        assert len(returned["batchItemFailures"]) == 1
        assert seconds <= LIMIT - MARGIN
        answer, seconds = took(lambda: api.invoke(put, timeout_seconds=LIMIT))
        assert answer["statusCode"] == 503
        assert seconds <= LIMIT - MARGIN


def test_a_slow_platform_does_not_make_a_handler_late(house):
    process = house.start("collect_results")
    assert process.invoke({"order_no": "order1"})["state"] == "collected"
    shown, seconds = took(
        lambda: process.invoke({"order_no": "slow9x1"}, timeout_seconds=LIMIT)
    )
    assert (shown["state"], shown["reason"]) == ("waiting", "transient")
    assert seconds <= LIMIT - MARGIN
