"""Published events have exactly the documented fields."""

import hashlib
import hmac
import json
from datetime import datetime, timezone

import pytest

from kycourier.core.documents.bank_card import BankCard, CardFields, CardNumber
from kycourier.core.documents.recognition import Photo, Recognition
from kycourier.core.events.cloudevents import build_event, parse_traceparent
from kycourier.core.evidence import StoredObject, locate_photo
from kycourier.core.fingerprints import FingerprintKey
from kycourier.core.orders.record import OrderState
from kycourier.core.orders.results import FinalReason, collected_result
from kycourier.core.redaction import PhotoBytes, Secret
from kycourier.core.wire.lenient_fields import CHINA
from support.sample_records import draft

AT = datetime(2021, 6, 21, 9, 49, 28, tzinfo=timezone.utc)
KEY = FingerprintKey("v1", Secret("k" * 32))
NUMBER = "6225880000001234"
CONTENT = b"\xff\xd8\xff synthetic"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FINGERPRINT = hmac.new(b"k" * 32, NUMBER.encode(), "sha256").hexdigest()
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def photo(kind):
    return Photo(
        kind=kind,
        content=PhotoBytes(CONTENT),
        sha256=SHA256,
        size_bytes=len(CONTENT),
        media_type="image/jpeg",
    )


RECOGNITION = Recognition(
    order_no="order1",
    fields=CardFields(
        number=CardNumber(NUMBER),
        valid_until="2024-12",
        warnings=("-9110", "-777"),
        clarity=79,
    ),
    recognized_at=datetime(2021, 6, 21, 17, 40, 6, tzinfo=CHINA),
    biz_seq_no="21062120001184412617492807497465",
    transaction_time="20210621174928",
    photos=(photo("original"), photo("number")),
    photos_missing=("cropped",),
)


def collected_event():
    folder = "SANDBOX1/2021/06/21/x"
    manifest = StoredObject(
        kind="manifest",
        key=f"{folder}/manifest-0011.json",
        sha256="00" * 32,
        size_bytes=2,
        media_type="application/json",
    )
    result = collected_result(
        RECOGNITION,
        BankCard().mask(RECOGNITION, KEY),
        photos=tuple(locate_photo(each, folder=folder) for each in RECOGNITION.photos),
        manifest=manifest,
        evidence_uri="s3://bucket/prefix",
    )
    return build_event(
        draft(traceparent=TRACE),
        OrderState.COLLECTED,
        result.data(),
        event_id="e1",
        now=AT,
    )


def test_collected_event_matches_the_published_contract():
    name = SHA256[:16]
    base = "s3://bucket/prefix/SANDBOX1/2021/06/21/x"
    assert json.loads(collected_event().body) == {
        "specversion": "1.0",
        "id": "e1",
        "source": "/kycourier/SANDBOX1",
        "type": "kycourier.ocr.collected.v1",
        "subject": "order1",
        "time": "2021-06-21T09:49:28Z",
        "datacontenttype": "application/json",
        "traceparent": TRACE,
        "data": {
            "app_id": "SANDBOX1",
            "order_no": "order1",
            "document": "bank_card",
            "card": {
                "number_masked": "622588******1234",
                "number_fingerprint": f"v1:{FINGERPRINT}",
                "number_sealed": None,
                "length": 16,
                "luhn_valid": False,
                "valid_until": "2024-12",
                "expired": False,
            },
            "quality": {
                "clarity": 79,
                "warnings": [
                    {"code": "-9110", "name": "invalid_date"},
                    {"code": "-777", "name": "unknown_warning"},
                ],
            },
            "recognized_at": "2021-06-21T17:40:06+08:00",
            "photos": [
                {
                    "kind": kind,
                    "uri": f"{base}/{kind}-{name}.jpg",
                    "sha256": SHA256,
                    "bytes": len(CONTENT),
                    "media_type": "image/jpeg",
                }
                for kind in ("original", "number")
            ],
            "photos_missing": ["cropped"],
            "manifest": {"uri": f"{base}/manifest-0011.json", "sha256": "00" * 32},
            "upstream": {
                "biz_seq_no": "21062120001184412617492807497465",
                "transaction_time": "20210621174928",
            },
        },
    }


@pytest.mark.parametrize(
    "state", [OrderState.REJECTED, OrderState.EXPIRED, OrderState.PARKED]
)
def test_other_events_carry_the_reason(state):
    data = FinalReason(code="-9011", name="ocr_failed").data()
    event = build_event(draft(), state, data, event_id="e2", now=AT)
    body = json.loads(event.body)
    assert event.type == body["type"] == f"kycourier.ocr.{state.value}.v1"
    assert "traceparent" not in body
    assert body["data"] == {
        "app_id": "SANDBOX1",
        "order_no": "order1",
        "document": "bank_card",
        "reason": {"code": "-9011", "name": "ocr_failed"},
    }


def test_event_repeats_its_attributes_for_the_sink():
    event = collected_event()
    body = json.loads(event.body)
    names = ("id", "type", "source", "subject", "traceparent")
    assert [getattr(event, name) for name in names] == [body[name] for name in names]
    assert (event.created_at, event.sent) == (AT, False)


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        "",
        TRACE + "\n",
        TRACE.upper(),
        "01" + TRACE[2:],
        f"00-{'0' * 32}-{'1' * 16}-01",
    ],
)
def test_malformed_traceparent_is_dropped(text):
    assert parse_traceparent(text) is None


def test_valid_traceparent_is_unchanged():
    assert parse_traceparent(TRACE) == TRACE
