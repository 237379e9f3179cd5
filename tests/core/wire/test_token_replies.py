"""Token and ticket replies are parsed to one credential with a lifetime."""

import json
from datetime import timedelta

import pytest

from kycourier.core.errors import MalformedReplyError
from kycourier.core.redaction import ReplyBody
from kycourier.core.result_codes import load_codes
from kycourier.core.wire.token_replies import parse_ticket_reply, parse_token_reply

TICKET = {"value": "S", "expire_in": "3600", "expire_time": "x"}


def body_of(**members):
    return ReplyBody(json.dumps(members).encode())


def token_body(**members):
    return body_of(**({"code": "0", "access_token": "T", "expire_in": 60} | members))


@pytest.mark.parametrize(
    "body",
    [token_body(), token_body(code=0), token_body(expire_time="20991231000000")],
    ids=["text", "int", "expire_time is ignored"],
)
def test_token_is_parsed(body):
    issued = parse_token_reply(body)
    assert issued.value.expose() == "T"
    assert issued.lifetime == timedelta(seconds=60)


def test_one_ticket_is_parsed():
    issued = parse_ticket_reply(body_of(code="0", tickets=[TICKET]))
    assert issued.value.expose() == "S"
    assert issued.lifetime == timedelta(hours=1)


def test_lifetime_is_at_most_two_hours():
    issued = parse_token_reply(token_body(expire_in=10**12))
    assert issued.lifetime == timedelta(hours=2)


@pytest.mark.parametrize("members", [{"access_token": "a\nb"}, {"expire_in": "3600s"}])
def test_malformed_token_reply_is_rejected(members):
    with pytest.raises(MalformedReplyError):
        parse_token_reply(token_body(**members))


@pytest.mark.parametrize(
    "tickets",
    [
        *([], [TICKET, TICKET], None, {}, ["S"], [None]),
        *([TICKET | {"value": ""}], [TICKET | {"expire_in": 0}]),
    ],
)
def test_any_list_but_one_whole_ticket_is_malformed(tickets):
    with pytest.raises(MalformedReplyError):
        parse_ticket_reply(body_of(code="0", tickets=tickets))


@pytest.mark.parametrize("parse", [parse_token_reply, parse_ticket_reply])
def test_rejection_carries_its_code(parse):
    rejected = load_codes().classify("400504")
    assert parse(body_of(code="400504", msg="x")) == rejected
