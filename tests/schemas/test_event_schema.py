"""The published event schema accepts every event that is built, and little else."""

import copy
import json
import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from msgspec.structs import replace

from kycourier.core.documents.bank_card import BankCard, CardFields, PhotoKind
from kycourier.core.documents.bank_card_numbers import CardNumber
from kycourier.core.documents.printed_dates import printable_date
from kycourier.core.events.cloudevents import build_event
from kycourier.core.evidence import locate_manifest, locate_photo
from kycourier.core.fingerprints import FingerprintKey
from kycourier.core.orders.record import OrderState
from kycourier.core.orders.results import collected_result
from kycourier.core.redaction import Secret
from kycourier.core.wire.lenient_fields import CHINA
from support.fakes import START
from support.openapi_check import load_schema
from support.rigs.fake_platform import error_reply, json_reply, result_reply
from support.rigs.in_memory import InMemoryApp
from support.sample_records import draft, make_recognition

SCHEMA = load_schema("event.schema.json")
ORDER = "bankcardPic5923ab9a3bc34488b51"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CHECK = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
DESIGN = {
    "specversion": "1.0",
    "id": "Kp3vX9sT2mQ7wR5yB8nC4dF6gH1jL0zA",
    "source": "/kycourier/SANDBOX1",
    "type": "kycourier.bank_card.collected.v1",
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
            "length": 16,
            "luhn_valid": True,
            "issuer": {
                "bank": "招商银行",
                "bank_code": "CMB",
                "card_type": "debit",
                "source": "bankcard 3.1.6",
            },
            "valid_until": "2024-12",
            "valid_until_text": "12/2024",
            "expired": False,
        },
        "sealed": "eyJhbGciOiJ4In0.a.b.c.d",
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
    "type": "kycourier.bank_card.rejected.v1",
    "data": {
        "app_id": "SANDBOX1",
        "order_no": ORDER,
        "document": "bank_card",
        "reason": {"code": "-9012", "name": "image_blurred"},
    },
}

PROBLEM = {
    "cause": "code_permanent",
    "code": "66660013",
    "http_status": None,
    "at": "2021-06-21T09:49:28.123456Z",
    "count": 1,
}
PARKED = ENDED | {
    "type": "kycourier.bank_card.parked.v1",
    "data": ENDED["data"] | {"last_problem": PROBLEM},
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


def test_schema_and_published_samples_are_valid():
    Draft202012Validator.check_schema(SCHEMA)
    CHECK.validate(DESIGN)
    CHECK.validate(ENDED)
    CHECK.validate(PARKED)
    CHECK.validate(changed(PARKED, "data.last_problem.detail", "original"))
    CHECK.validate(DESIGN | {"traceparent": TRACE})


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        ([result_reply(ORDER)], "collected"),
        ([result_reply(ORDER, bankcardCropPhoto="", operateTime="")], "collected"),
        ([result_reply(ORDER, bankCardNo="", multiWarnCode="[-9999]")], "collected"),
        ([error_reply("-9012")], "rejected"),
        ([result_reply("another")], "rejected"),
        ([error_reply("400502")], "parked"),
        ([error_reply("66660020")], "expired"),
        ([json_reply(b"<html>", status=502)], "parked"),
        (
            [result_reply(ORDER, bankcardCropPhoto="%", bankCardValidDate="长期")],
            "collected",
        ),
        ([result_reply(ORDER, originBankcardPhoto="%")], "parked"),
    ],
)
def test_every_sent_event_is_valid(replies, kind):
    app = InMemoryApp()
    app.upstream.scripts[ORDER] = replies
    app.worker().collect(ORDER)
    for pause in (timedelta(days=3), timedelta(minutes=16)):
        app.clock.sleep(pause.total_seconds())
        app.worker().collect(ORDER)
    (event,) = app.bodies()
    assert event["type"] == f"kycourier.bank_card.{kind}.v1"
    CHECK.validate(event)


NUMBERS = st.text("0123456789", max_size=40) | st.text(
    "0123456789 -x\uff10\u0661", max_size=30
)


@given(
    fields=st.builds(
        CardFields,
        number=NUMBERS.map(CardNumber),
        valid_until=st.sampled_from([None, "2024-12", "1999-01"]),
        valid_until_text=st.text().map(printable_date),
        clarity=st.none() | st.integers(0, 999) | st.floats(0, 999),
        warnings=st.lists(
            st.from_regex("-?[0-9]{1,9}", fullmatch=True), max_size=32
        ).map(tuple),
    ),
    at=st.none() | st.datetimes(datetime(1000, 1, 1), timezones=st.just(CHINA)),  # noqa: DTZ001 - Hypothesis wants naive bounds
    kinds=st.lists(st.sampled_from(PhotoKind), unique=True),
)
def test_event_of_any_recognition_is_valid(fields, at, kinds):
    recognition = replace(
        make_recognition(*kinds, order_no=ORDER),
        fields=fields,
        recognized_at=at and at.replace(microsecond=0),
    )
    folder = "APP/2026/01/01/x"
    data = collected_result(
        recognition,
        BankCard().mask(recognition, FingerprintKey("v2", Secret("k" * 32))),
        sealed=None,
        photos=tuple(locate_photo(each, folder=folder) for each in recognition.photos),
        manifest=locate_manifest(b"{}", folder=folder),
        evidence_uri="cos://evidence-1250000000/prefix",
    ).data()
    record = draft(ORDER, traceparent=TRACE)
    body = build_event(
        record, OrderState.COLLECTED, data, event_id="a" * 32, now=START
    ).body
    CHECK.validate(json.loads(body))
    masked = data["card"]["number_masked"]
    assert not re.search("[0-9]{7}", masked or "")


def paths_of(value, path=""):
    """Yield the path of every member, nested ones too."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in members:
        inner = f"{path}.{name}".removeprefix(".")
        if isinstance(value, dict):
            yield inner
        if isinstance(member, dict | list):
            yield from paths_of(member, inner)


@pytest.mark.parametrize(
    ("event", "path"),
    [(event, path) for event in (DESIGN, ENDED, PARKED) for path in paths_of(event)],
)
def test_every_member_is_required_and_no_other_is_known(event, path):
    assert not CHECK.is_valid(changed(event, path, ...))
    parent = path.rpartition(".")[0]
    assert not CHECK.is_valid(changed(event, f"{parent}.more".removeprefix("."), 1))


@pytest.mark.parametrize("path", ["data.card.number", "data.reason"])
def test_number_and_reason_are_unknown_in_collected_data(path):
    assert not CHECK.is_valid(changed(DESIGN, path, "more"))


@pytest.mark.parametrize("kind", ["rejected", "expired"])
def test_only_a_parked_order_has_a_problem(kind):
    assert not CHECK.is_valid(PARKED | {"type": f"kycourier.bank_card.{kind}.v1"})
    assert not CHECK.is_valid(ENDED | {"type": PARKED["type"]})


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *(("cause", "transient"), ("code", "some text"), ("http_status", 99)),
        *(("at", "2021-06-21T17:49:28+08:00"), ("count", 0), ("detail", "")),
        ("detail", "A value"),
    ],
)
def test_malformed_problem_is_invalid(member, value):
    assert not CHECK.is_valid(changed(PARKED, f"data.last_problem.{member}", value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("specversion", "1"),
        ("id", ""),
        ("source", "kycourier"),
        ("type", "kycourier.bank_card.collected.v2"),
        ("type", "kycourier.bank_card.rejected.v1"),
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
        ("data.sealed", "4111111111111111"),
        ("data.card.issuer", "CMB"),
        ("data.card.issuer.card_type", "DC"),
        ("data.card.length", 0),
        ("data.card.length", "16"),
        ("data.card.luhn_valid", "yes"),
        ("data.card.valid_until", "12/2024"),
        ("data.card.valid_until", "2024-13"),
        ("data.card.valid_until_text", ""),
        ("data.card.valid_until_text", "1" * 33),
        ("data.card.valid_until_text", "<b>"),
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
