"""No response reveals whether another app has an order with the same number.

The same requests go to two apps that differ only in the other app's row.
"""

import json

import pytest
from msgspec.structs import replace

from kycourier.core.orders.record import OrderState
from support.rigs.api_client import ApiClient
from support.rigs.fake_platform import error_reply
from support.rigs.in_memory import InMemoryApp
from support.sample_events import function_url_event
from support.sample_records import draft, settled

OTHER, NUMBER = "OTHERAPP", "order1"
ORDER = f"/v1/orders/{NUMBER}"
COLLECTION, ORIGINAL = f"{ORDER}/collection", f"{ORDER}/photos/original"
THEIRS = {
    "registered": lambda row: row,
    "waiting": lambda row: replace(row, state=OrderState.WAITING, reason="not_ready"),
    "collecting": lambda row: replace(row, state=OrderState.COLLECTING, fence=7),
    "collected": settled,
    "parked": lambda row: replace(settled(row), state=OrderState.PARKED),
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
    "resend": ("POST", f"{ORDER}/events/e1/deliveries", None, {}),
    "health": ("GET", "/v1/health", None, {}),
}
MESSAGES = {
    "announced": {"order_no": NUMBER},
    "announced, named": {"order_no": NUMBER, "app_id": OTHER},
    "reminded": {"order_no": NUMBER, "due": True},
    "reminded, named": {"order_no": NUMBER, "app_id": OTHER, "due": True},
}


def make_app():
    """Return an app that equals every other app of this function."""
    app = InMemoryApp()
    app.upstream.scripts[NUMBER] = [error_reply("66660011")]
    return app


@pytest.fixture(params=THEIRS)
def apps(request):
    """Return an app without and one with the other app's order."""
    unknown, foreign = make_app(), make_app()
    row = replace(THEIRS[request.param](draft(NUMBER)), app_id=OTHER)
    foreign.stores.orders.register(row)
    assert foreign.stores.orders.get(row.key) == row
    return unknown, foreign


def call_api(app, method, path, body, headers):
    event = function_url_event(method, path, body=body, headers=headers)
    return ApiClient(app).send(event).raw


def call_queue(app, event):
    return app.worker().orders_queue().handle(event, app.time())


def effects_of(app, response):
    """Return a response, the log entries and the upstream queries as text."""
    return json.dumps([response, app.event_log.entries, dict(app.upstream.queries)])


@pytest.mark.parametrize("name", REQUESTS)
def test_request_response_does_not_reveal_a_foreign_order(apps, name):
    unknown, foreign = (
        effects_of(each, call_api(each, *REQUESTS[name])) for each in apps
    )
    assert foreign == unknown


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("batch", [True, False])
def test_message_response_does_not_reveal_a_foreign_order(apps, name, batch):
    event = MESSAGES[name]
    if batch:
        event = {"Records": [{"messageId": "m1", "body": json.dumps(event)}]}
    unknown, foreign = (effects_of(each, call_queue(each, event)) for each in apps)
    assert foreign == unknown


@pytest.mark.parametrize("name", [name for name in REQUESTS if "named" in name])
def test_naming_another_app_does_not_reveal_our_order(name):
    without, with_ours = make_app(), make_app()
    with_ours.stores.orders.register(draft(NUMBER))
    first, second = (call_api(app, *REQUESTS[name]) for app in (without, with_ours))
    assert first == second
    assert first["statusCode"] == 400
