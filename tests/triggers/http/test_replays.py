"""A replayed signed request has no second effect."""

import copy
from datetime import timedelta

import pytest

from kycourier.core.errors import StoreUnavailableError
from kycourier.core.orders.record import OrderState
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import SignedRequest, sign_request
from support.failing_ports import raising
from support.rigs.api_client import ApiClient
from support.rigs.fake_platform import error_reply, result_reply
from support.rigs.in_memory import MutableSecret
from support.sample_events import function_url_event

KEY = "first-key-of-a-test"
ORDER = "/v1/orders/order1"
COLLECTION = f"{ORDER}/collection"
REOPEN = '{"reopen":true}'
RESPOND_ASYNC = {"Prefer": "respond-async"}
NOT_READY, PARKED = error_reply("66660011"), error_reply("66660013")
RESULT = result_reply("order1")
LATER = [0, 299]  # seconds, within the signature's window


@pytest.fixture
def api(app):
    return ApiClient(app, keys=MutableSecret(KEY))


def sign(app, method, path, body="", *, late=0, **headers):
    """Build a request signed now by a sender whose clock is `late` seconds behind."""
    signature = sign_request(
        SignedRequest(method=method, path=path, body=body.encode()),
        key=Secret(KEY),
        at=app.clock.now() - timedelta(seconds=late),
    )
    signed = {"X-Kycourier-Signature": signature, **headers}
    return function_url_event(method, path, body=body or None, headers=signed)


def send(api, event):
    return api.send(copy.deepcopy(event))


def collect(api, body="", **options):
    """Request the collection of order1, signed now; return the order's state."""
    event = sign(api.app, "POST", COLLECTION, body, **options)
    return send(api, event).members["state"]


def effects(app):
    """Return everything that a request may change."""
    rows = {key: row.record for key, row in app.stores.orders.rows.items()}
    queued = len(app.queue._messages)
    calls = dict(app.upstream.queries), app.upstream.tokens
    return rows, queued, calls, list(app.sink.events), sorted(app.evidence.objects)


def assert_no_second_effect(api, event, *, after, status=200):
    api.app.clock.sleep(after)
    before = effects(api.app)
    response = send(api, event)
    assert response.status == status
    assert effects(api.app) == before
    return response


@pytest.mark.parametrize("after", LATER)
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", ORDER, 200),
        ("GET", ORDER, 200),
        ("POST", COLLECTION, 200),
        ("GET", f"{ORDER}/photos/original", 302),
        ("GET", "/v1/health", 200),
        ("GET", "/v1/openapi.json", 200),
    ],
)
def test_replay_for_a_collected_order_changes_nothing(
    api, app, method, path, status, after
):
    assert collect(api) == "collected"
    event = sign(app, method, path)
    assert send(api, event).status == status
    assert_no_second_effect(api, event, after=after, status=status)


def test_replayed_registration_changes_nothing(api, app):
    event = sign(app, "PUT", ORDER, '{"document":"bank_card"}')
    assert send(api, event).status == 201
    assert_no_second_effect(api, event, after=299)


@pytest.mark.parametrize(
    ("headers", "after"),
    [({}, 0), ({}, 3), (RESPOND_ASYNC, 0), (RESPOND_ASYNC, 299)],
)
def test_replayed_call_for_a_waiting_order_changes_nothing(api, app, after, headers):
    app.upstream.scripts["order1"] = [NOT_READY]
    event = sign(app, "POST", COLLECTION, **headers)
    assert send(api, event).status == 202
    response = assert_no_second_effect(api, event, after=after, status=202)
    assert int(response.headers["Retry-After"]) >= 1


def test_second_call_in_the_same_second_collects_a_due_order(api, app):
    assert collect(api, **RESPOND_ASYNC) == "registered"
    assert collect(api) == "collected"
    assert app.upstream.queries["order1"] == 1


def test_caller_with_a_late_clock_follows_the_schedule(api, app):
    app.upstream.scripts["order1"] = [NOT_READY]
    collect(api)
    for seconds, queries in [(3, 1), (2, 2), (13, 2), (2, 3)]:
        app.clock.sleep(seconds)
        collect(api, late=60)
        assert app.upstream.queries["order1"] == queries


@pytest.mark.parametrize("after", LATER)
def test_replayed_reopening_of_a_parked_order_changes_nothing(api, app, after):
    app.upstream.scripts["order1"] = [PARKED]
    assert collect(api) == "parked"
    event = sign(app, "POST", COLLECTION, REOPEN)
    assert send(api, event).members["state"] == "parked"
    assert app.upstream.queries["order1"] == 2
    app.upstream.scripts["order1"] = [RESULT]
    assert_no_second_effect(api, event, after=after)


def test_replayed_reopening_of_a_waiting_order_changes_nothing(api, app):
    app.upstream.scripts["order1"] = [NOT_READY, PARKED]
    event = sign(app, "POST", COLLECTION, REOPEN)
    assert send(api, event).members["state"] == "waiting"
    app.clock.sleep(10)
    assert app.worker().collect("order1").state is OrderState.PARKED
    assert_no_second_effect(api, event, after=10)


def test_newly_signed_request_takes_effect(api, app):
    app.upstream.scripts["order1"] = [NOT_READY, PARKED]
    collect(api)
    app.clock.sleep(1)
    assert collect(api) == "parked"
    app.upstream.scripts["order1"] = [RESULT]
    assert collect(api, REOPEN) == "collected"  # in the same second


def test_replay_of_a_failed_call_takes_effect(api, app, monkeypatch):
    event = sign(app, "POST", COLLECTION)
    with monkeypatch.context() as down:
        down.setattr(app.stores.orders, "commit", raising(StoreUnavailableError))
        assert send(api, event).status == 503
    assert send(api, event).members["state"] == "collected"
