"""The event and the manifest."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from kycourier.core import events, order
from kycourier.core.card import CHINA, FingerprintKey
from kycourier.core.hidden import CardNumber, PhotoBytes, Secret
from kycourier.core.models import Document, OrderKey, Photo, PhotoKind, Recognition
from kycourier.core.order_record import State

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
    card_number=CardNumber(NUMBER),
    valid_until="2024-12",
    warnings=("-9110", "-777"),
    clarity=79,
    recognized_at=datetime(2021, 6, 21, 17, 40, 6, tzinfo=CHINA),
    biz_seq_no="21062120001184412617492807497465",
    transaction_time="20210621174928",
    photos=(photo(PhotoKind.ORIGINAL), photo(PhotoKind.NUMBER)),
)


def record(traceparent=None):
    drafted = order.draft(
        OrderKey("SANDBOX1", "order1"),
        document=Document.BANK_CARD,
        now=AT,
        ttl=timedelta(days=2),
        first_sweep=timedelta(minutes=10),
        traceparent=traceparent,
    )
    return order.claim(
        drafted, owner="me", now=AT, lease=timedelta(minutes=1), folder="2021/06/21/x"
    )


def collected(recognition=RECOGNITION):
    folder = "SANDBOX1/2021/06/21/x"
    result = events.build_result(recognition, KEY)
    photos = [events.place_photo(taken, folder=folder) for taken in recognition.photos]
    manifest = events.StoredObject(
        kind="manifest",
        key=f"{folder}/manifest-0011.json",
        sha256="00" * 32,
        size_bytes=2,
        media_type="application/json",
    )
    data = events.build_collected_data(
        result,
        recognition=recognition,
        photos=photos,
        manifest=manifest,
        evidence_uri="s3://bucket/prefix",
    )
    return events.build_event(
        record(TRACE), State.COLLECTED, data, event_id="e1", now=AT
    )


def test_a_collected_event_is_the_published_one():
    """Field by field as the contract prints it."""
    name = SHA256[:16]
    base = "s3://bucket/prefix/SANDBOX1/2021/06/21/x"
    assert json.loads(collected().body) == {
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


def test_a_number_without_digits_is_null_throughout():
    data = json.loads(
        collected(replace(RECOGNITION, card_number=CardNumber("xxxx"))).body
    )["data"]["card"]
    nulls = ("number_masked", "number_fingerprint", "length", "luhn_valid")
    assert [data[name] for name in nulls] == [None] * 4


@pytest.mark.parametrize("state", [State.REJECTED, State.EXPIRED, State.PARKED])
def test_the_other_events_say_why(state):
    data = events.build_reason_data(code="-9011", name="ocr_failed")
    event = events.build_event(record(), state, data, event_id="e2", now=AT)
    body = json.loads(event.body)
    assert event.type == body["type"] == f"kycourier.ocr.{state.value}.v1"
    assert "traceparent" not in body
    assert body["data"] == {
        "app_id": "SANDBOX1",
        "order_no": "order1",
        "document": "bank_card",
        "reason": {"code": "-9011", "name": "ocr_failed"},
    }


def test_the_manifest_holds_nothing_that_differs_from_query_to_query():
    def manifest(recognition):
        places = [events.place_photo(taken, folder="f") for taken in recognition.photos]
        result = events.build_result(recognition, KEY)
        return events.build_manifest(
            record(), result, recognition=recognition, photos=places
        )

    later = replace(RECOGNITION, biz_seq_no="other", transaction_time="2" * 14)
    assert manifest(later) == manifest(RECOGNITION)
    kept = json.loads(manifest(RECOGNITION))
    assert kept["manifest"] == "kycourier.manifest.v1"
    assert [named["name"] for named in kept["objects"]] == [
        f"{kind}-{SHA256[:16]}.jpg" for kind in ("original", "number")
    ]
    assert NUMBER not in manifest(RECOGNITION).decode()


def test_keys_are_found_again_in_the_event():
    event, uri = collected(), "s3://bucket/prefix"
    folder = "SANDBOX1/2021/06/21/x"
    original = f"{folder}/original-{SHA256[:16]}.jpg"
    assert events.named_keys([event], evidence_uri=uri) == {
        original,
        f"{folder}/number-{SHA256[:16]}.jpg",
        f"{folder}/manifest-0011.json",
    }
    found = events.find_photo(event, PhotoKind.ORIGINAL, evidence_uri=uri)
    assert found == original
    assert events.find_photo(event, PhotoKind.CROPPED, evidence_uri=uri) is None
    elsewhere = events.find_photo(event, PhotoKind.ORIGINAL, evidence_uri="file:///x")
    assert elsewhere is None


def test_results_differ_by_the_card_alone():
    other = collected(replace(RECOGNITION, card_number=CardNumber("4111111111111111")))
    later = collected(replace(RECOGNITION, transaction_time="2" * 14))
    assert events.results_differ([collected()], [other])
    assert not events.results_differ([collected()], [later])
    assert not events.results_differ([], [other])


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
def test_an_odd_traceparent_is_not_carried(text):
    assert events.parse_traceparent(text) is None
    assert events.parse_traceparent(TRACE) == TRACE
