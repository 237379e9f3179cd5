"""Stored records carry a schema number; newer and damaged ones are rejected."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from kycourier.core.circuit_breaker import (
    BreakerRecord,
    decode_breaker,
    encode_breaker,
)
from kycourier.core.errors import NewerSchemaError, StoreUnavailableError
from kycourier.core.orders.record import OrderState, decode_record, encode_record
from kycourier.core.orders.results import FinalReason
from kycourier.core.tickets.pair import decode_pair, encode_pair
from support.fakes import START
from support.sample_records import draft, make_pair, settled

FORMATS = {
    "order": (encode_record, decode_record),
    "ticket": (encode_pair, decode_pair),
    "breaker": (encode_breaker, decode_breaker),
}
CLAIMED = draft(
    state=OrderState.COLLECTING,
    owner="one",
    fence=1,
    lease_ends_at=START + timedelta(minutes=1),
    next_scheduled_at=START + timedelta(hours=1),
    folder="2026/01/01/a",
)
OPEN = BreakerRecord(openings=1, open_until=START, version=3)
REJECTION = FinalReason("-9011", "ocr_failed")
RECORDS = {
    "registered order": ("order", draft()),
    "claimed order": ("order", CLAIMED),
    "collected order": ("order", settled(CLAIMED)),
    "rejected order": ("order", replace(settled(CLAIMED), result=REJECTION)),
    "ticket pair": ("ticket", make_pair()),
    "open breaker": ("breaker", OPEN),
    "stopped breaker": ("breaker", BreakerRecord(until_resumed=True, version=1)),
}


@pytest.mark.parametrize(("name", "record"), RECORDS.values(), ids=RECORDS)
def test_record_survives_encoding_and_carries_schema_one(name, record):
    encode, decode = FORMATS[name]
    stored = encode(record)
    assert decode(stored) == record
    assert msgspec.json.decode(stored)["schema"] == 1


@pytest.mark.parametrize(("name", "record"), RECORDS.values(), ids=RECORDS)
def test_readable_record_of_a_newer_release_is_rejected(name, record):
    encode, decode = FORMATS[name]
    members = msgspec.json.decode(encode(record)) | {"schema": 2, "new": 1}
    with pytest.raises(NewerSchemaError):
        decode(msgspec.json.encode(members))


@pytest.mark.parametrize("name", FORMATS)
def test_newer_schema_is_reported_even_for_an_unreadable_record(name):
    _, decode = FORMATS[name]
    with pytest.raises(NewerSchemaError) as caught:
        decode(b'{"schema":2,"version":"x","state":"odd"}')
    assert caught.value.reason == name


@pytest.mark.parametrize(
    "stored",
    [b"", b"{", b"{}", b"[]", b'{"schema":1,"version":"x","state":"odd"}'],
)
@pytest.mark.parametrize("name", FORMATS)
def test_damaged_record_is_rejected_without_its_text(name, stored):
    _, decode = FORMATS[name]
    with pytest.raises(StoreUnavailableError) as caught:
        decode(stored)
    assert caught.value.__context__ is None
    assert caught.value.reason == f"{name} record unreadable"
