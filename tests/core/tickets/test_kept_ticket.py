"""A ticket kept by another service is bare text or a JSON member."""

import pytest

from kycourier.core.errors import TicketUnavailableError
from kycourier.core.redaction import Secret
from kycourier.core.tickets.kept_ticket import parse_kept_ticket


@pytest.mark.parametrize(
    "stored",
    ["T", "T\n", '{"ticket":"T"}', ' {"ticket":"T"} ', '{"ticket":"T","more":1}'],
)
def test_ticket_may_be_bare_or_a_json_member(stored):
    assert parse_kept_ticket(Secret(stored)).expose() == "T"


@pytest.mark.parametrize(
    "stored",
    [
        "",
        " ",
        "{}",
        '{"ticket":""}',
        '{"ticket":5}',
        "{",
        "a\nb",
        "é",
        '{"ticket":"é"}',
    ],
)
def test_malformed_ticket_is_rejected_without_its_text(stored):
    with pytest.raises(TicketUnavailableError) as caught:
        parse_kept_ticket(Secret(stored))
    assert caught.value.__context__ is None
    assert caught.value.reason == "the value is not a ticket"
