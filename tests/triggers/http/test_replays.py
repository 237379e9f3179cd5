"""A replayed signed request has no second effect."""

import copy
from datetime import timedelta

import pytest

from kycourier.core.errors import StoreUnavailableError
from kycourier.core.orders.record import OrderState
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import SignedRequest, sign_request
from support.rigs.api_client import ApiClient
from support.rigs.fake_platform import error_reply, result_reply
from support.rigs.in_memory import InMemoryApp, MutableSecret
from support.sample_events import function_url_event

KEY = "first-key-of-a-test"
ORDER = "/v1/orders/order1"
COLLECTION = f"{ORDER}/collection"
REOPEN = '{"reopen":true}'
NOT_READY, PARKED = error_reply("66660011"), error_reply("66660013")
LATER = [0, 1, 299]  # seconds, within the signature's window


@pytest.fixture
def app():
    return InMemoryApp()


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


def effects(app):
    """Return everything that a request may change."""
    rows = {key: row.record for key, row in app.stores.orders.rows.items()}
    queued = len(app.queue._messages)
    calls = dict(app.upstream.queries), app.upstream.tokens
    return rows, queued, calls, list(app.sink.events), sorted(app.evidence.objects)


def again(api, event, *, after):
    """Send the request again after some seconds; return response and effects."""
    api.app.clock.sleep(after)
    before = effects(api.app)
    response = send(api, event)
    return response, before, effects(api.app)


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
    assert send(api, sign(app, "POST", COLLECTION)).members["state"] == "collected"
    event = sign(app, method, path)
    assert send(api, event).status == status
    response, before, now = again(api, event, after=after)
    assert response.status == status
    assert now == before


@pytest.mark.parametrize("after", LATER)
def test_replayed_registration_changes_nothing(api, app, after):
    event = sign(app, "PUT", ORDER, '{"document":"bank_card"}')
    assert send(api, event).status == 201
    response, before, now = again(api, event, after=after)
    assert response.status == 200
    assert now == before


RESPOND_ASYNC = {"Prefer": "respond-async"}


@pytest.mark.parametrize(
    ("headers", "after"),
    [({}, 0), ({}, 1), ({}, 3), *((RESPOND_ASYNC, after) for after in LATER)],
)
def test_replayed_call_for_a_waiting_order_changes_nothing(api, app, after, headers):
    app.upstream.scripts["order1"] = [NOT_READY]
    event = sign(app, "POST", COLLECTION, **headers)
    assert send(api, event).status == 202
    response, before, now = again(api, event, after=after)
    assert response.status == 202
    assert int(response.headers["Retry-After"]) >= 1
    assert now == before


def test_second_call_in_the_same_second_collects_a_due_order(api, app):
    assert send(api, sign(app, "POST", COLLECTION, **RESPOND_ASYNC)).status == 202
    response = send(api, sign(app, "POST", COLLECTION))  # in the same second
    assert (response.status, response.members["state"]) == (200, "collected")
    assert app.upstream.queries["order1"] == 1


def test_caller_with_a_late_clock_follows_the_schedule(api, app):
    app.upstream.scripts["order1"] = [NOT_READY]
    send(api, sign(app, "POST", COLLECTION))
    for seconds, asked in [(3, 1), (2, 2), (13, 2), (2, 3)]:
        app.clock.sleep(seconds)
        send(api, sign(app, "POST", COLLECTION, late=60))
        assert app.upstream.queries["order1"] == asked


@pytest.mark.parametrize("after", LATER)
def test_replayed_reopening_of_a_parked_order_changes_nothing(api, app, after):
    app.upstream.scripts["order1"] = [PARKED]
    assert send(api, sign(app, "POST", COLLECTION)).members["state"] == "parked"
    event = sign(app, "POST", COLLECTION, REOPEN)
    assert send(api, event).members["state"] == "parked"
    assert app.upstream.queries["order1"] == 2
    app.upstream.scripts["order1"] = [result_reply("order1")]
    response, before, now = again(api, event, after=after)
    assert response.members["state"] == "parked"
    assert now == before


def test_replayed_reopening_of_a_waiting_order_changes_nothing(api, app):
    app.upstream.scripts["order1"] = [NOT_READY, PARKED]
    event = sign(app, "POST", COLLECTION, REOPEN)
    assert send(api, event).members["state"] == "waiting"
    app.clock.sleep(10)
    assert app.worker().collect("order1").state is OrderState.PARKED
    response, before, now = again(api, event, after=10)
    assert response.members["state"] == "parked"
    assert now == before


def test_replay_of_an_earlier_reopening_changes_nothing(api, app):
    app.upstream.scripts["order1"] = [PARKED]
    send(api, sign(app, "POST", COLLECTION))
    events = []
    for _ in range(3):
        app.clock.sleep(10)
        events.append(sign(app, "POST", COLLECTION, REOPEN))
        send(api, events[-1])
    assert app.upstream.queries["order1"] == 4
    for event in events:
        _, before, now = again(api, event, after=1)
        assert now == before


def test_newly_signed_request_takes_effect(api, app):
    app.upstream.scripts["order1"] = [NOT_READY, PARKED]
    send(api, sign(app, "POST", COLLECTION))
    app.clock.sleep(1)
    assert send(api, sign(app, "POST", COLLECTION)).members["state"] == "parked"
    app.upstream.scripts["order1"] = [result_reply("order1")]
    reopened = send(api, sign(app, "POST", COLLECTION, REOPEN))  # the same second
    assert reopened.members["state"] == "collected"


def test_caller_with_a_late_clock_may_reopen(api, app):
    app.upstream.scripts["order1"] = [PARKED]
    send(api, sign(app, "POST", COLLECTION))
    app.upstream.scripts["order1"] = [result_reply("order1")]
    event = sign(app, "POST", COLLECTION, REOPEN, late=200)
    assert send(api, event).members["state"] == "collected"


def test_replay_of_a_failed_call_takes_effect(api, app):
    app.upstream.scripts["order1"] = [result_reply("order1")]
    event = sign(app, "POST", COLLECTION)
    app.stores.orders.commit, commit = _fail, app.stores.orders.commit
    assert send(api, event).status == 503
    app.stores.orders.commit = commit
    assert send(api, event).members["state"] == "collected"


def _fail(*_, **__):
    raise StoreUnavailableError("synthetic")
