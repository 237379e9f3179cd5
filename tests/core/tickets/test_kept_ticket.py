"""A ticket that another service keeps: four forms, and no serializer's."""

import json

import pytest

from kycourier.core.causes import Cause
from kycourier.core.errors import TicketUnavailableError
from kycourier.core.redaction import Secret
from kycourier.core.tickets.kept_ticket import parse_kept_ticket

TICKET = "aB3._~+/=-"
REPLY = {"code": "0", "tickets": [{"value": TICKET, "expire_in": "3600"}]}


@pytest.mark.parametrize(
    "stored",
    [
        TICKET,
        f"\ufeff {TICKET}\r\n",
        json.dumps(TICKET),
        json.dumps({"ticket": TICKET}),
        json.dumps({"ticket": TICKET, "more": 1}),
        json.dumps({"value": TICKET}),
        json.dumps(REPLY),
    ],
)
def test_ticket_may_be_bare_quoted_a_member_or_the_platform_s_reply(stored):
    assert parse_kept_ticket(Secret(stored)).expose() == TICKET


@pytest.mark.parametrize(
    "stored",
    [
        "",
        " ",
        "{}",
        "{",
        '"',
        "null",
        "None",
        "a\nb",
        "a b",
        "é",
        '{"ticket":""}',
        '{"ticket":5}',
        '{"secret":"T"}',
        '{"ticket":"T","value":"U"}',
        '{"tickets":[]}',
        '{"tickets":[{"value":"T"},{"value":"U"}]}',
        '[{"value":"T"}]',
        pytest.param('s:1:"T";', id="PHP"),
        pytest.param('O:6:"Ticket":1:{s:5:"value";s:1:"T";}', id="PHP object"),
        pytest.param("\udcac\udced\x00\x05t\x00\x01T", id="Java"),
        pytest.param("rO0ABXQAAVQ=", id="Java in Base64"),
        pytest.param("\udc80\x04\x8c\x01T\x94.", id="Python pickle"),
        pytest.param("b'T'", id="Python bytes"),
        pytest.param("&quot;T&quot;", id="HTML"),
        pytest.param("<p>T</p>", id="HTML page"),
    ],
)
def test_any_other_form_is_a_cause_of_its_own_without_the_text(stored):
    with pytest.raises(TicketUnavailableError) as caught:
        parse_kept_ticket(Secret(stored))
    assert caught.value.problem.cause is Cause.TICKET_UNREADABLE
    assert caught.value.reason == "ticket_unreadable"
    assert caught.value.__context__ is None
