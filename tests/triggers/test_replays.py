"""A signed request that is sent again, as it was, does nothing a second time."""

import copy
from datetime import timedelta

import pytest

from api_caller import ApiCaller, v2_event
from kycourier.core.errors import StoreUnavailable
from kycourier.core.hidden import Secret
from kycourier.core.order_record import State
from kycourier.core.request_signature import SignedRequest, sign_request
from worlds import SecretInMemory, World, refusal, result

KEY = "first-key-of-a-test"
ORDER = "/v1/orders/order1"
COLLECTION = f"{ORDER}/collection"
REOPEN = '{"reopen":true}'
NOT_READY, PARKED = refusal("66660011"), refusal("66660013")
LATER = [0, 1, 299]  # seconds: within the signature's window


@pytest.fixture
def world():
    return World()


@pytest.fixture
def api(world):
    return ApiCaller(world, keys=SecretInMemory(KEY))


def sign(world, method, path, body="", *, late=0, **headers):
    """Build a request that its sender signs now, by a clock that is `late` behind."""
    signature = sign_request(
        SignedRequest(method=method, path=path, body=body.encode()),
        key=Secret(KEY),
        at=world.clock.now() - timedelta(seconds=late),
    )
    signed = {"X-Kycourier-Signature": signature, **headers}
    return v2_event(method, path, body=body or None, headers=signed)


def send(api, event):
    return api.send(copy.deepcopy(event))


def effects(world):
    """Give all that a request may have done."""
    rows = {key: row.record for key, row in world.state.orders.rows.items()}
    queued = len(world.queue._messages)
    calls = dict(world.upstream.asked), world.upstream.tokens
    return rows, queued, calls, list(world.sink.events), sorted(world.evidence.objects)


def again(api, event, *, after):
    """Send it again after so many seconds; give what it did then."""
    api.world.clock.sleep(after)
    before = effects(api.world)
    answer = send(api, event)
    return answer, before, effects(api.world)


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
def test_request_for_a_collected_order(api, world, method, path, status, after):
    assert send(api, sign(world, "POST", COLLECTION)).members["state"] == "collected"
    event = sign(world, method, path)
    assert send(api, event).status == status
    answer, before, now = again(api, event, after=after)
    assert answer.status == status
    assert now == before


@pytest.mark.parametrize("after", LATER)
def test_registration(api, world, after):
    event = sign(world, "PUT", ORDER, '{"document":"bank_card"}')
    assert send(api, event).status == 201
    answer, before, now = again(api, event, after=after)
    assert answer.status == 200
    assert now == before


RESPOND_ASYNC = {"Prefer": "respond-async"}


@pytest.mark.parametrize(
    ("headers", "after"),
    [({}, 0), ({}, 1), ({}, 3), *((RESPOND_ASYNC, after) for after in LATER)],
)
def test_call_for_an_order_that_waits(api, world, after, headers):
    world.upstream.scripts["order1"] = [NOT_READY]
    event = sign(world, "POST", COLLECTION, **headers)
    assert send(api, event).status == 202
    answer, before, now = again(api, event, after=after)
    assert answer.status == 202
    assert int(answer.headers["Retry-After"]) >= 1
    assert now == before


def test_a_call_that_counted_before_still_collects_what_is_due_as_the_sweep_does(
    api, world
):
    assert send(api, sign(world, "POST", COLLECTION, **RESPOND_ASYNC)).status == 202
    answer = send(api, sign(world, "POST", COLLECTION))  # in the same second
    assert (answer.status, answer.members["state"]) == (200, "collected")
    assert world.upstream.asked["order1"] == 1


def test_a_caller_whose_clock_is_late_keeps_to_the_schedule(api, world):
    world.upstream.scripts["order1"] = [NOT_READY]
    send(api, sign(world, "POST", COLLECTION))
    for seconds, asked in [(3, 1), (2, 2), (13, 2), (2, 3)]:
        world.clock.sleep(seconds)
        send(api, sign(world, "POST", COLLECTION, late=60))
        assert world.upstream.asked["order1"] == asked


@pytest.mark.parametrize("after", LATER)
def test_reopening_of_an_order_that_was_parked_again(api, world, after):
    world.upstream.scripts["order1"] = [PARKED]
    assert send(api, sign(world, "POST", COLLECTION)).members["state"] == "parked"
    event = sign(world, "POST", COLLECTION, REOPEN)
    assert send(api, event).members["state"] == "parked"
    assert world.upstream.asked["order1"] == 2
    world.upstream.scripts["order1"] = [result("order1")]
    answer, before, now = again(api, event, after=after)
    assert answer.members["state"] == "parked"
    assert now == before


def test_reopening_that_was_sent_while_the_order_waited(api, world):
    world.upstream.scripts["order1"] = [NOT_READY, PARKED]
    event = sign(world, "POST", COLLECTION, REOPEN)
    assert send(api, event).members["state"] == "waiting"
    world.clock.sleep(10)
    assert world.worker().collect("order1").state is State.PARKED
    answer, before, now = again(api, event, after=10)
    assert answer.members["state"] == "parked"
    assert now == before


def test_an_earlier_reopening_after_a_later_one(api, world):
    world.upstream.scripts["order1"] = [PARKED]
    send(api, sign(world, "POST", COLLECTION))
    events = []
    for _ in range(3):
        world.clock.sleep(10)
        events.append(sign(world, "POST", COLLECTION, REOPEN))
        send(api, events[-1])
    assert world.upstream.asked["order1"] == 4
    for event in events:
        _, before, now = again(api, event, after=1)
        assert now == before


def test_an_order_may_be_called_and_reopened_anew_whenever_it_is_signed_anew(
    api, world
):
    world.upstream.scripts["order1"] = [NOT_READY, PARKED]
    send(api, sign(world, "POST", COLLECTION))
    world.clock.sleep(1)
    assert send(api, sign(world, "POST", COLLECTION)).members["state"] == "parked"
    world.upstream.scripts["order1"] = [result("order1")]
    reopened = send(api, sign(world, "POST", COLLECTION, REOPEN))  # the same second
    assert reopened.members["state"] == "collected"


def test_a_late_clock_may_reopen_what_another_called(api, world):
    world.upstream.scripts["order1"] = [PARKED]
    send(api, sign(world, "POST", COLLECTION))
    world.upstream.scripts["order1"] = [result("order1")]
    event = sign(world, "POST", COLLECTION, REOPEN, late=200)
    assert send(api, event).members["state"] == "collected"


def test_a_call_that_was_cut_off_before_its_row_changed_counts_when_sent_again(
    api, world
):
    world.upstream.scripts["order1"] = [result("order1")]
    event = sign(world, "POST", COLLECTION)
    world.state.orders.commit, commit = _fail, world.state.orders.commit
    assert send(api, event).status == 503
    world.state.orders.commit = commit
    assert send(api, event).members["state"] == "collected"


def _fail(*_, **__):
    raise StoreUnavailable("synthetic")
