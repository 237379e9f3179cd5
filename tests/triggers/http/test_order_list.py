"""GET /v1/orders lists orders: filters, pages, and what it refuses by name."""

from datetime import datetime, timezone
from urllib.parse import quote

import pytest

from kycourier.core.causes import Cause, Problem
from kycourier.core.orders.pages import FindCursor
from kycourier.core.orders.record import OrderState
from kycourier.triggers.http.order_list import (
    decode_cursor,
    encode_cursor,
    parse_instant,
)
from support.rigs.fake_platform import error_reply
from support.rigs.in_memory import expected_order

AT = datetime(2021, 6, 21, 9, 40, 0, 123456, tzinfo=timezone.utc)
TIMED_OUT = Problem(Cause.TIMED_OUT)


@pytest.fixture
def filled(app):
    """Register order0 … order6, a minute apart; order1 and order2 have ended."""
    for number in range(7):
        app.worker().register.register(expected_order(f"order{number}"))
        app.clock.sleep(60)
    app.upstream.scripts["order2"] = [error_reply("-9011")]
    for number in (1, 2):
        app.worker().collect(f"order{number}")
    return app


def numbers(response):
    return [each["order_no"] for each in response.members["orders"]]


@pytest.mark.usefixtures("filled")
def test_orders_are_listed_newest_first(api):
    response = api.call("GET", "/v1/orders")

    assert response.status == 200
    assert numbers(response) == [f"order{number}" for number in range(6, -1, -1)]
    assert response.members["next_cursor"] is None
    shown = api.call("GET", "/v1/orders/order3").members
    assert response.members["orders"][3] == shown


def test_pages_go_on_where_they_ended_although_orders_change(api, filled):
    first = api.call("GET", "/v1/orders", query="limit=3")
    filled.worker().collect("order6")
    filled.worker().collect("order0")
    cursor = first.members["next_cursor"]
    second = api.call("GET", "/v1/orders", query=f"limit=3&cursor={cursor}")
    cursor = second.members["next_cursor"]
    third = api.call("GET", "/v1/orders", query=f"cursor={cursor}&limit=3")

    assert [numbers(page) for page in (first, second, third)] == [
        ["order6", "order5", "order4"],
        ["order3", "order2", "order1"],
        ["order0"],
    ]
    assert third.members["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=collected", [1]),
        ("state=rejected", [2]),
        ("state=registered", [6, 5, 4, 3, 0]),
        ("state=parked", []),
        ("document=bank_card&state=collected", [1]),
        ("cause=timed_out", []),
        ("since=2026-01-01T00:05:00Z", [6, 5]),
        ("since=2026-01-01T08:05:00+08:00", [6, 5]),
        ("until=2026-01-01T00:02:00%2B00:00", [1, 0]),
        ("since=2026-01-01&until=2026-01-01", []),
        ("since=2026-01-01", [6, 5, 4, 3, 2, 1, 0]),
        ("limit=2", [6, 5]),
    ],
)
@pytest.mark.usefixtures("filled")
def test_filters(api, query, found):
    assert numbers(api.call("GET", "/v1/orders", query=query)) == [
        f"order{number}" for number in found
    ]


GOOD = encode_cursor(FindCursor(AT, "order1"))


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("state=Parked", "state"),
        ("state=", "state"),
        ("state=parked&state=parked", "state"),
        ("document=passport", "document"),
        ("cause=code_transient%00", "cause"),
        ("cause=%ff", "cause"),
        ("since=yesterday", "since"),
        ("since=2026-01-01T00:00:00", "since"),
        ("since=2026-13-01", "since"),
        ("until=9999999999999999", "until"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1e1", "limit"),
        ("limit=%D9%A3", "limit"),
        ("cursor=", "cursor"),
        (f"cursor={GOOD}x", "cursor"),
        (f"cursor={GOOD[:-2]}", "cursor"),
        (f"cursor={quote('../../x')}", "cursor"),
        ("cursor=" + "A" * 300, "cursor"),
        ("colour=red", None),
        ("State=parked", None),
        ("state", "state"),
    ],
)
def test_wrong_parameter_is_named_and_not_repeated(api, query, parameter):
    response = api.call("GET", "/v1/orders", query=query)

    assert (response.status, response.code) == (400, "bad_parameter")
    assert response.members.get("parameter") == parameter


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_other_methods_are_refused(api, method):
    assert api.call(method, "/v1/orders").status == 405


def test_head_is_as_get_without_its_body(api, filled):
    response = api.call("HEAD", "/v1/orders")

    assert (response.status, response.raw["body"]) == (200, "")
    assert filled.load("order0").state is OrderState.REGISTERED


@pytest.mark.parametrize(
    "cursor",
    [FindCursor(AT, "order1"), FindCursor(AT.replace(microsecond=0), "A" * 32)],
)
def test_cursor_is_read_back(cursor):
    assert decode_cursor(encode_cursor(cursor)) == cursor


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2021-06-21", datetime(2021, 6, 21, tzinfo=timezone.utc)),
        ("2021-06-21T09:40:00.123456Z", AT),
        ("2021-06-21t17:40:00.123456+08:00", AT),
        ("2021-06-21T09:40:00.1Z", AT.replace(microsecond=100_000)),
    ],
)
def test_instants_are_read_as_rfc_3339(text, instant):
    assert parse_instant(text) == instant
