"""Whether another app has an order of that number cannot be told from any answer.

The same questions are put to two worlds that differ in the other app's row alone.
"""

import json

import pytest
from msgspec.structs import replace

from api_caller import ApiCaller, v2_event
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.core.order_record import State as Stage
from kycourier.ports import State
from records import draft, settled
from worlds import World, refusal

OTHER, NUMBER = "OTHERAPP", "order1"
ORDER = f"/v1/orders/{NUMBER}"
COLLECTION, ORIGINAL = f"{ORDER}/collection", f"{ORDER}/photos/original"
THEIRS = {
    "registered": lambda row: row,
    "waiting": lambda row: replace(row, state=Stage.WAITING, reason="not_ready"),
    "collecting": lambda row: replace(row, state=Stage.COLLECTING, fence=7),
    "collected": settled,
    "parked": lambda row: replace(settled(row), state=Stage.PARKED),
}
NAMED = json.dumps({"app_id": OTHER})
REQUESTS = {
    "show": ("GET", ORDER, None, {}),
    "photo": ("GET", ORIGINAL, None, {}),
    "register": ("PUT", ORDER, None, {}),
    "register, named": ("PUT", ORDER, NAMED, {}),
    "collect": ("POST", COLLECTION, None, {}),
    "collect later": ("POST", COLLECTION, None, {"Prefer": "respond-async"}),
    "collect, named": ("POST", COLLECTION, NAMED, {}),
    "reopen": ("POST", COLLECTION, '{"reopen":true}', {}),
    "reopen, named": ("POST", COLLECTION, f'{{"reopen":true,{NAMED[1:]}', {}),
    "health": ("GET", "/v1/health", None, {}),
}
MESSAGES = {
    "announced": {"order_no": NUMBER},
    "announced, named": {"order_no": NUMBER, "app_id": OTHER},
    "reminded": {"order_no": NUMBER, "due": True},
    "reminded, named": {"order_no": NUMBER, "app_id": OTHER, "due": True},
}


@pytest.fixture(params=["memory", pytest.param("sqlite", marks=pytest.mark.slow)])
def make_world(request, tmp_path):
    """Make worlds that are alike to the last nonce."""
    made = []

    def make():
        world = World()
        world.upstream.scripts[NUMBER] = [refusal("66660011")]
        if request.param == "sqlite":
            path = tmp_path / f"{len(made)}.db"
            orders = SqliteOrderStore(path, world.clock)
            world.state = State(
                tickets=world.state.tickets,
                leases=world.state.leases,
                orders=orders,
                brakes=world.state.brakes,
            )
        made.append(world)
        return world

    return make


@pytest.fixture(params=THEIRS)
def worlds(request, make_world):
    """Give a world without and one with the other app's order."""
    unknown, foreign = make_world(), make_world()
    row = replace(THEIRS[request.param](draft(NUMBER)), app_id=OTHER)
    foreign.state.orders.register(row)
    assert foreign.state.orders.load(row.key) == row
    return unknown, foreign


def ask_api(world, method, path, body, headers):
    event = v2_event(method, path, body=body, headers=headers)
    return ApiCaller(world).send(event).response


def ask_queue(world, event):
    return world.worker().orders_queue().answer(event, world.time())


def told(world, answer):
    """Give an answer to the byte, and what the log and the platform learned."""
    return json.dumps([answer, world.journal.notes, dict(world.upstream.asked)])


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_answered_alike(worlds, name):
    unknown, foreign = (told(each, ask_api(each, *REQUESTS[name])) for each in worlds)
    assert foreign == unknown


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("batch", [True, False])
def test_a_message_is_answered_alike(worlds, name, batch):
    event = MESSAGES[name]
    if batch:
        event = {"Records": [{"messageId": "m1", "body": json.dumps(event)}]}
    unknown, foreign = (told(each, ask_queue(each, event)) for each in worlds)
    assert foreign == unknown


@pytest.mark.parametrize("name", [name for name in REQUESTS if "named" in name])
def test_naming_another_app_tells_nothing_of_ours_either(make_world, name):
    without, with_ours = make_world(), make_world()
    with_ours.state.orders.register(draft(NUMBER))
    answers = [ask_api(world, *REQUESTS[name]) for world in (without, with_ours)]
    assert answers[0] == answers[1]
    assert answers[0]["statusCode"] == 400


def test_our_own_order_does_make_a_difference(make_world):
    """The comparison is not blind."""
    without, with_ours = make_world(), make_world()
    with_ours.state.orders.register(draft(NUMBER))
    for name in ("show", "register", "collect", "health"):
        first, second = (
            told(world, ask_api(world, *REQUESTS[name]))
            for world in (without, with_ours)
        )
        assert first != second
