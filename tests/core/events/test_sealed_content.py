"""The sealed content holds every recognized field, in clear and nowhere else."""

import json
from datetime import datetime, timezone

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from kycourier.core.documents.bank_card import BankCard
from kycourier.core.events.sealed_content import build_sealed_content
from kycourier.core.redaction import ReplyBody
from support.openapi_check import load_schema
from support.sample_records import draft

SCHEMA = load_schema("sealed.schema.json")
ORDER = "bankcardPic5923ab9a3bc34488b51"
CLAIMED = datetime(2021, 6, 21, 9, 49, 26, tzinfo=timezone.utc)


def content_of(**result):
    """Return what is sealed of a reply with this result."""
    reply = {"code": 0, "result": {"orderNo": ORDER, **result}}
    recognition = BankCard().parse_reply(ReplyBody(json.dumps(reply).encode()))
    record = replace(draft(ORDER), updated_at=CLAIMED)
    content = build_sealed_content(record, BankCard().reveal(recognition))
    found = json.loads(content.expose())
    Draft202012Validator(SCHEMA).validate(found)
    return found


def test_content_is_that_of_the_design():
    found = content_of(bankcardNo="6225 8800 0000 1234", bankCardValidDate="12/2024")

    assert found == {
        "iss": "kycourier",
        "iat": 1624268966,
        "app_id": "SANDBOX1",
        "order_no": ORDER,
        "document": "bank_card",
        "card": {
            "number": "6225880000001234",
            "number_text": "6225 8800 0000 1234",
            "valid_until_text": "12/2024",
        },
    }


@pytest.mark.parametrize(
    ("sent", "card"),
    [
        ({}, (None, None, None)),
        ({"bankcardNo": "xxxx-xxxx"}, (None, "xxxx-xxxx", None)),
        ({"bankcardNo": "\uff16\uff12"}, ("62", "\uff16\uff12", None)),
        ({"bankcardNo": "6" * 65}, (None, None, None)),
        ({"bankcardNo": 6225880000001234}, ("6225880000001234",) * 2 + (None,)),
        ({"bankCardValidDate": "长期 <12>\t"}, (None, None, "长期 <12>\t")),
        ({"bankCardValidDate": "6225880000001234"}, (None, None, "6225880000001234")),
    ],
)
def test_fields_are_as_they_were_recognized(sent, card):
    found = content_of(operateTime="2021-06-21 17:40:06", **sent)["card"]

    assert tuple(found.values()) == card


def test_example_of_the_schema_is_valid_and_a_further_member_is_not():
    check = Draft202012Validator(SCHEMA)
    [example] = SCHEMA["examples"]

    check.validate(example)
    assert not check.is_valid(example | {"name": "x"})
