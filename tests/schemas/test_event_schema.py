"""The published event schema accepts every event that is built, and little else."""

import copy
import json
import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from kycourier.core.documents.bank_card import (
    BankCard,
    CardFields,
    CardNumber,
    PhotoKind,
)
from kycourier.core.documents.recognition import Photo, Recognition
from kycourier.core.documents.registry import Document
from kycourier.core.events import cloudevents
from kycourier.core.evidence import locate_manifest, locate_photo
from kycourier.core.fingerprints import FingerprintKey
from kycourier.core.orders.record import OrderKey, OrderState
from kycourier.core.orders.results import collected_result
from kycourier.core.orders.state_machine import draft
from kycourier.core.redaction import PhotoBytes, Secret
from kycourier.core.wire.lenient_fields import CHINA
from support.fakes import START
from support.openapi_check import load_schema
from support.rigs.fake_platform import error_reply, result_reply
from support.rigs.in_memory import APP, InMemoryApp

SCHEMA = load_schema("event.schema.json")
ORDER = "bankcardPic5923ab9a3bc34488b51"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CHECK = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
DESIGN = {
    "specversion": "1.0",
    "id": "Kp3vX9sT2mQ7wR5yB8nC4dF6gH1jL0zA",
    "source": "/kycourier/SANDBOX1",
    "type": "kycourier.ocr.collected.v1",
    "subject": ORDER,
    "time": "2021-06-21T09:49:28Z",
    "datacontenttype": "application/json",
    "data": {
        "app_id": "SANDBOX1",
        "order_no": ORDER,
        "document": "bank_card",
        "card": {
            "number_masked": "622588******1234",
            "number_fingerprint": "v1:" + "5f" * 32,
            "number_sealed": None,
            "length": 16,
            "luhn_valid": True,
            "valid_until": "2024-12",
            "expired": False,
        },
        "quality": {
            "clarity": 79,
            "warnings": [{"code": "-9110", "name": "invalid_date"}],
        },
        "recognized_at": "2021-06-21T17:40:06+08:00",
        "photos": [
            {
                "kind": "original",
                "uri": "s3://evidence/SANDBOX1/2021/06/21/x/original-abababab.jpg",
                "sha256": "ab" * 32,
                "bytes": 183201,
                "media_type": "image/jpeg",
            }
        ],
        "photos_missing": [],
        "manifest": {"uri": "s3://evidence/x/manifest-cdcd.json", "sha256": "cd" * 32},
        "upstream": {
            "biz_seq_no": "21062120001184412617492807497465",
            "transaction_time": "20210621174928",
        },
    },
}
ENDED = DESIGN | {
    "type": "kycourier.ocr.rejected.v1",
    "data": {
        "app_id": "SANDBOX1",
        "order_no": ORDER,
        "document": "bank_card",
        "reason": {"code": "-9012", "name": "image_blurred"},
    },
}


def changed(event, path, value):
    """Copy the event with one member set, or removed if the value is `...`."""
    event = copy.deepcopy(event)
    *parents, last = path.split(".")
    target = event
    for step in parents:
        target = target[int(step) if step.isdigit() else step]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return event


def test_schema_is_valid():
    Draft202012Validator.check_schema(SCHEMA)


def test_published_sample_is_valid():
    CHECK.validate(DESIGN)
    CHECK.validate(ENDED)
    CHECK.validate(DESIGN | {"traceparent": TRACE})


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        ([result_reply(ORDER)], "collected"),
        ([result_reply(ORDER, bankcardCropPhoto="", bankcardNoPhoto="")], "collected"),
        ([result_reply(ORDER, bankCardNo="xxxxxxxxxxxxxxxx")], "collected"),
        ([result_reply(ORDER, bankCardNo="", bankCardValidDate="长期")], "collected"),
        ([result_reply(ORDER, multiWarnCode="[-9110,-9999]", clarity="")], "collected"),
        ([result_reply(ORDER, operateTime="", bizSeqNo="a b")], "collected"),
        ([error_reply("-9012")], "rejected"),
        ([result_reply("another")], "rejected"),
        ([error_reply("400502")], "parked"),
        ([error_reply("66660001")], "parked"),
    ],
)
def test_every_sent_event_is_valid(replies, kind):
    app = InMemoryApp()
    app.upstream.scripts[ORDER] = replies
    app.worker().collect(ORDER)
    (event,) = app.bodies()
    assert event["type"] == f"kycourier.ocr.{kind}.v1"
    CHECK.validate(event)


def test_event_of_an_expired_order_is_valid():
    app = InMemoryApp()
    app.upstream.scripts[ORDER] = [error_reply("66660020")]
    app.worker().collect(ORDER)
    app.clock.sleep(timedelta(days=3).total_seconds())
    app.worker().collect(ORDER)
    (event,) = app.bodies()
    assert event["type"] == "kycourier.ocr.expired.v1"
    CHECK.validate(event)


DIGITS = st.text(alphabet="0123456789", max_size=40)
NUMBERS = DIGITS | st.text(alphabet="0123456789 -x\uff10\u0661", max_size=30)
PHOTOS = st.lists(st.sampled_from(PhotoKind), unique=True)


@given(
    number=NUMBERS,
    valid_until=st.sampled_from([None, "2024-12", "1999-01"]),
    clarity=st.none() | st.integers(0, 999) | st.floats(0, 999),
    warnings=st.lists(st.from_regex("-?[0-9]{1,9}", fullmatch=True), max_size=32),
    at=st.none() | st.datetimes(datetime(1000, 1, 1), timezones=st.just(CHINA)),  # noqa: DTZ001 - Hypothesis wants naive bounds
    kinds=PHOTOS,
)
def test_event_of_any_recognition_is_valid(
    number, valid_until, clarity, warnings, at, kinds
):
    fields = CardFields(
        number=CardNumber(number),
        valid_until=valid_until,
        warnings=tuple(warnings),
        clarity=clarity,
    )
    recognition = Recognition(
        order_no=ORDER,
        fields=fields,
        recognized_at=at and at.replace(microsecond=0),
        photos=tuple(
            Photo(
                kind=kind.value,
                content=PhotoBytes(b"a"),
                sha256="ab" * 32,
                size_bytes=1,
                media_type="image/webp",
            )
            for kind in kinds
        ),
        photos_missing=tuple(kind.value for kind in PhotoKind if kind not in kinds),
    )
    folder = "APP/2026/01/01/x"
    data = collected_result(
        recognition,
        BankCard().mask(recognition, FingerprintKey("v2", Secret("k" * 32))),
        photos=tuple(locate_photo(each, folder=folder) for each in recognition.photos),
        manifest=locate_manifest(b"{}", folder=folder),
        evidence_uri="cos://evidence-1250000000/prefix",
    ).data()
    record = draft(
        OrderKey(APP, ORDER),
        document=Document.BANK_CARD,
        now=START,
        ttl=timedelta(days=2),
        first_sweep=timedelta(minutes=10),
        traceparent=TRACE,
    )
    event = json.loads(
        cloudevents.build_event(
            record, OrderState.COLLECTED, data, event_id="a" * 32, now=START
        ).body
    )
    CHECK.validate(event)
    masked = event["data"]["card"]["number_masked"]
    assert not re.search("[0-9]{7}", masked or "")


@pytest.mark.parametrize("member", SCHEMA["required"])
def test_event_requires_every_attribute(member):
    assert not CHECK.is_valid(changed(DESIGN, member, ...))
    assert not CHECK.is_valid(changed(ENDED, member, ...))


@pytest.mark.parametrize(
    "path",
    [
        "data.app_id", "data.order_no", "data.document", "data.card", "data.quality",
        "data.recognized_at", "data.photos", "data.photos_missing", "data.manifest",
        "data.upstream", "data.card.number_masked", "data.card.number_fingerprint",
        "data.card.number_sealed", "data.card.length", "data.card.luhn_valid",
        "data.card.valid_until", "data.card.expired", "data.quality.clarity",
        "data.quality.warnings", "data.quality.warnings.0.code", "data.photos.0.kind",
        "data.quality.warnings.0.name", "data.photos.0.uri", "data.photos.0.sha256",
        "data.photos.0.bytes", "data.photos.0.media_type", "data.manifest.uri",
        "data.manifest.sha256", "data.upstream.biz_seq_no",
        "data.upstream.transaction_time",
    ],
)  # fmt: skip
def test_collected_data_require_every_member(path):
    assert not CHECK.is_valid(changed(DESIGN, path, ...))


@pytest.mark.parametrize("path", ["data.document", "data.reason", "data.reason.code"])
def test_ended_data_require_every_member(path):
    assert not CHECK.is_valid(changed(ENDED, path, ...))


@pytest.mark.parametrize(
    "path",
    ["more", "data.more", "data.card.more", "data.card.number", "data.quality.more",
     "data.quality.warnings.0.more", "data.photos.0.more", "data.manifest.more",
     "data.upstream.more", "data.reason"],
)  # fmt: skip
def test_unknown_member_is_invalid(path):
    assert not CHECK.is_valid(changed(DESIGN, path, "more"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("specversion", "1"),
        ("id", ""),
        ("source", "kycourier"),
        ("type", "kycourier.ocr.collected.v2"),
        ("type", "kycourier.ocr.rejected.v1"),
        ("subject", "a-b"),
        ("time", "2021-06-21T17:49:28+08:00"),
        ("time", "2021-13-21T09:49:28Z"),
        ("datacontenttype", "text/plain"),
        ("traceparent", "00-" + "0" * 32 + "-b7ad6b7169203331-01"),
        ("traceparent", None),
        ("data.document", "passport"),
        ("data.card.number_masked", "4111111111111111"),
        ("data.card.number_masked", "411111*****1111"),
        ("data.card.number_masked", "4111111******111"),
        ("data.card.number_masked", "******411111"),
        ("data.card.number_masked", "4111 **** **** 1111"),
        ("data.card.number_masked", ""),
        ("data.card.number_fingerprint", "5f" * 32),
        ("data.card.number_fingerprint", "v1:" + "5F" * 32),
        ("data.card.number_fingerprint", "v1:" + "5f" * 20),
        ("data.card.number_sealed", "4111111111111111"),
        ("data.card.length", 0),
        ("data.card.length", "16"),
        ("data.card.luhn_valid", "yes"),
        ("data.card.valid_until", "12/2024"),
        ("data.card.valid_until", "2024-13"),
        ("data.recognized_at", "2021-06-21T17:40:06"),
        ("data.recognized_at", "2021-06-21T09:40:06Z"),
        ("data.photos.0.kind", "face"),
        ("data.photos.0.sha256", "ab"),
        ("data.photos.0.bytes", -1),
        ("data.photos.0.uri", "evidence/x.jpg"),
        ("data.photos.0.media_type", "text/html"),
        ("data.photos_missing", ["original", "original"]),
        ("data.upstream.transaction_time", "2021-06-21"),
    ],
)
def test_malformed_member_is_invalid(path, value):
    assert not CHECK.is_valid(changed(DESIGN, path, value))
