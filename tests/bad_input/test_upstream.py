"""Whatever the platform answers: the order is safe in its row, and nothing leaks."""

import hashlib
import json
from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bad_input.functions import Functions, assert_silent
from bad_input.strategies import CANARY, json_values, record, spell, texts
from bad_input.upstream import (
    BASE64,
    CARD,
    IMAGES,
    LIVES,
    PHOTO,
    RESULT,
    TOKEN,
    WHOLE,
    any_replies,
    changed_replies,
    images,
    reply,
    ticket_replies,
    token_replies,
)
from kycourier.core.errors import TicketUnavailable
from kycourier.core.hidden import Secret
from kycourier.core.order_record import State
from kycourier.core.wire import parse_result_reply
from kycourier.usecases.use_ticket import parse_kept_ticket
from leak_scan import find_leaks
from openapi_check import check_answer, load_schema
from worlds import http

ORDER = "order1"
SETTLED = {State.COLLECTED, State.REJECTED, State.EXPIRED, State.PARKED, State.WAITING}
CANARIES = (CARD, PHOTO[8:26].decode(), CANARY)
EVENT = Draft202012Validator(load_schema("event.schema.json"))


def collected(body, *, status=200):
    """Collect an order whose every query is answered so; give its row.

    It is safe in its row, its event and its API answer are as published, all that the
    event names is stored, and no card number or photo stands anywhere.
    """
    functions = Functions()
    world = functions.world
    world.upstream.scripts[ORDER] = [http(body, status=status)]
    called = functions.call(
        "collect_results",
        {"Records": [record("m1", json.dumps({"order_no": ORDER}))]},
    )
    assert called.answer == {"batchItemFailures": []}
    assert_silent(called, *CANARIES)
    path = f"/v1/orders/{ORDER}"
    shown = functions.call(
        "orders_api", {"httpMethod": "GET", "path": path, "headers": {}}
    )
    assert_silent(shown, *CANARIES)
    assert shown.answer["statusCode"] == 200
    check_answer("GET", path, shown.answer)
    row = world.load(ORDER)
    assert row.state in SETTLED
    assert len(world.sink.events) == row.state.is_final
    for event in world.bodies():
        EVENT.validate(event)
        assert find_leaks(CANARIES, {"event": json.dumps(event)}) == []
        for named in event["data"].get("photos", ()):
            key = named["uri"].removeprefix("file:///evidence/")
            content = world.evidence.objects[key]
            assert hashlib.sha256(content).hexdigest() == named["sha256"]
    return row


def test_the_good_reply_is_collected():
    """What the changed ones below are changed from."""
    assert collected(WHOLE).state is State.COLLECTED


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_every_field_absent_null_of_another_type_or_huge(part):
    seen = set()
    for number, changed in enumerate(changed_replies()):
        if number % 4 == part:
            seen.add(collected(spell(changed)).state)
    assert State.COLLECTED in seen
    assert State.WAITING in seen


@given(any_replies)
@settings(max_examples=50)
def test_any_reply_leaves_the_order_safe(body):
    collected(body)


@given(any_replies, st.sampled_from([302, 400, 403, 404, 429, 500, 503, 599]))
@settings(max_examples=50)
def test_with_any_status_too(body, status):
    assert collected(body, status=status).state is not State.COLLECTED


def test_every_truncation_waits():
    assert len(WHOLE) > 700
    for end in range(0, len(WHOLE), 7):
        row = collected(WHOLE[:end])
        assert (row.state, row.reason) == (State.WAITING, "transient")


@pytest.mark.parametrize("name", BASE64)
def test_base64_is_taken_in_its_one_spelling_or_not_at_all(name):
    body = spell(reply(originBankcardPhoto=BASE64[name]))
    row = collected(body)
    nothing = {"nothing", "empty data URI"}
    good = {"blanks", "data URI", "20 MB"}
    if name in nothing:
        assert (row.state, row.reason) == (State.WAITING, "photos_pending")
    elif name in good:
        assert row.state is State.COLLECTED
    else:
        assert (row.state, row.reason) == (State.WAITING, "transient")


@pytest.mark.parametrize("name", IMAGES)
def test_image_bytes_are_stored_as_they_are(name):
    assert_stored(IMAGES[name])


@given(images)
def test_any_image_bytes_are_stored_as_they_are(content):
    assert_stored(content)


def assert_stored(content):
    functions = Functions()
    body = spell(reply(originBankcardPhoto=b64encode(content).decode()))
    functions.world.upstream.scripts[ORDER] = [http(body)]
    functions.call("collect_results", {"order_no": ORDER})
    assert content in functions.world.evidence.objects.values()


@given(st.sampled_from(["token", "ticket"]), st.data())
@settings(max_examples=50)
def test_any_token_and_ticket_reply_buys_a_pair_or_fails_silently(which, data):
    functions = Functions()
    upstream = functions.world.upstream
    if which == "token":
        upstream.token_answer = http(data.draw(token_replies))
    else:
        upstream.ticket_answer = http(data.draw(ticket_replies))
    for name in ("refresh_ticket", "collect_results", "refresh_ticket"):
        called = functions.call(name, {"order_no": ORDER})
        assert_silent(called, TOKEN, CANARY)
    pair = functions.world.state.tickets.load("SANDBOX1")
    assert pair is None or 0 < pair.expires_in.total_seconds() <= 7200


@pytest.mark.parametrize("lives", LIVES, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("tickets", [0, 1, 2])
def test_only_one_ticket_of_a_readable_life_is_bought(lives, tickets):
    functions = Functions()
    entry = {"value": TOKEN, "expire_in": lives}
    functions.world.upstream.ticket_answer = http(
        {"code": "0", "tickets": [entry] * tickets}
    )
    called = functions.call("refresh_ticket", {})
    assert_silent(called, TOKEN)
    readable = isinstance(lives, (int, str)) and not isinstance(lives, bool)
    readable = readable and str(lives).isascii() and str(lives).isdigit()
    bought = tickets == 1 and readable and 0 < len(str(lives)) <= 18 and int(lives) > 0
    assert (called.answer["generation"] == 1) == bought


@given(texts | json_values.map(lambda value: spell({"ticket": value}).decode()))
def test_a_ticket_that_somebody_else_keeps_is_text_or_none(kept):
    with suppress(TicketUnavailable):
        assert parse_kept_ticket(Secret(kept)).reveal().isprintable()


def test_a_result_is_read_the_same_whether_nested_or_flat():
    flat = {"code": "0", **RESULT}
    parsed = [parse_result_reply(http(each).body) for each in (flat, reply())]
    assert parsed[0] == parsed[1]
