"""For any reply of the platform, the order stays in its row, and nothing leaks."""

from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bad_input.collected_order import ORDER, collect
from bad_input.functions import Functions, assert_no_leaks
from bad_input.replies import (
    BASE64,
    TOKEN,
    WHOLE,
    any_replies,
    changed_replies,
    images,
    reply,
    ticket_replies,
    token_replies,
)
from bad_input.strategies import CANARY, json_values, spell, texts
from kycourier.core.causes import Cause, Problem
from kycourier.core.errors import TicketUnavailableError
from kycourier.core.orders.record import OrderState
from kycourier.core.redaction import Secret
from kycourier.core.tickets.kept_ticket import parse_kept_ticket
from support.rigs.fake_platform import json_reply


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_every_field_may_be_absent_null_of_another_type_or_huge(part):
    states = set()
    for number, changed in enumerate(changed_replies()):
        if number % 4 == part:
            states.add(collect(spell(changed)).state)
    assert OrderState.COLLECTED in states
    assert OrderState.WAITING in states


@given(any_replies)
@settings(max_examples=50)
def test_any_reply_leaves_the_order_in_a_known_state(body):
    collect(body)


@given(any_replies, st.sampled_from([302, 400, 403, 404, 429, 500, 503, 599]))
@settings(max_examples=50)
def test_any_reply_with_an_error_status_is_not_collected(body, status):
    assert collect(body, status=status).state is not OrderState.COLLECTED


@pytest.mark.slow
def test_every_truncation_is_retried():
    assert len(WHOLE) > 700
    for end in range(len(WHOLE)):
        row = collect(WHOLE[:end])
        assert (row.state, row.reason) == (OrderState.WAITING, "transient")
        assert row.last_problem.cause is Cause.REPLY_NOT_JSON


MESSAGE = b'"msg": "synthetic"'
GBK_MESSAGE = b'"msg": "\xc7\xeb\xc7\xf3"'
CODE = b'"code": "0", '


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"\xef\xbb\xbf" + WHOLE, None),
        (WHOLE.replace(MESSAGE, GBK_MESSAGE), None),
        (WHOLE.replace(CODE, CODE * 2), None),
        (WHOLE.replace(CODE, CODE + b'"code": 0, '), Cause.REPLY_NOT_JSON),
        (WHOLE.replace(CODE, CODE + b'"code": "1", '), Cause.REPLY_NOT_JSON),
    ],
    ids=["byte order mark", "GBK", "repeated", "repeated as int", "repeated otherwise"],
)
def test_odd_spelling_of_a_good_reply_is_collected_unless_it_contradicts_itself(
    body, cause
):
    assert body != WHOLE
    row = collect(body)
    assert row.state is (OrderState.WAITING if cause else OrderState.COLLECTED)
    assert (row.last_problem and row.last_problem.cause) == cause


TOLERATED = {"line breaks", "data URI", "20 MB", "64 bytes"}
NO_PHOTO = {"nothing", "empty data URI", "null", "None", "63 bytes"}
UNREADABLE = Problem(Cause.PHOTO_UNREADABLE, detail="original")


@pytest.mark.parametrize("name", BASE64)
def test_base64_is_decoded_strictly_or_refused(name):
    row = collect(spell(reply(originBankcardPhoto=BASE64[name])))
    if name in TOLERATED:
        assert row.state is OrderState.COLLECTED
        return
    assert row.state is OrderState.WAITING
    assert row.reason == ("photos_pending" if name in NO_PHOTO else "transient")
    assert name in NO_PHOTO or row.last_problem.problem == UNREADABLE


@given(images)
def test_image_bytes_are_stored_as_they_are(content):
    functions = Functions()
    body = spell(reply(originBankcardPhoto=b64encode(content).decode()))
    functions.app.upstream.scripts[ORDER] = [json_reply(body)]
    functions.call("collect_results", {"order_no": ORDER})
    assert content in functions.app.evidence.objects.values()


@given(st.sampled_from(["token", "ticket"]), st.data())
@settings(max_examples=50)
def test_any_token_or_ticket_reply_yields_a_valid_pair_or_none(which, data):
    functions = Functions()
    upstream = functions.app.upstream
    if which == "token":
        upstream.token_reply = json_reply(data.draw(token_replies))
    else:
        upstream.ticket_reply = json_reply(data.draw(ticket_replies))
    for name in ("refresh_ticket", "collect_results", "refresh_ticket"):
        called = functions.call(name, {"order_no": ORDER})
        assert_no_leaks(called, TOKEN, CANARY)
    pair = functions.app.stores.tickets.get("SANDBOX1")
    assert pair is None or 0 < pair.expires_in.total_seconds() <= 7200


WHOLE_TOKEN = spell({"code": "0", "access_token": TOKEN, "expire_in": "7200"})
WHOLE_TICKET = spell({"code": "0", "tickets": [{"value": TOKEN, "expire_in": 3600}]})


@pytest.mark.parametrize(
    ("name", "whole"),
    [("token_reply", WHOLE_TOKEN), ("ticket_reply", WHOLE_TICKET)],
    ids=["token", "ticket"],
)
def test_every_truncated_token_or_ticket_reply_yields_no_pair(name, whole):
    for end in range(len(whole) + 1):
        functions = Functions()
        setattr(functions.app.upstream, name, json_reply(whole[:end]))
        called = functions.call("refresh_ticket", {})
        assert_no_leaks(called, TOKEN)
        assert (called.response["generation"] == 1) == (end == len(whole))


@given(texts | json_values.map(lambda value: spell({"ticket": value}).decode()))
def test_foreign_ticket_is_printable_text_or_refused(stored):
    with suppress(TicketUnavailableError):
        assert parse_kept_ticket(Secret(stored)).expose().isprintable()
