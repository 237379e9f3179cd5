"""Calls with canaries in their arguments, whose failures must not expose them."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from kycourier.core.documents.bank_card import CardFields
from kycourier.core.documents.bank_card_numbers import CardNumber
from kycourier.core.documents.recognition import Photo, Recognition
from kycourier.core.errors import KycourierError
from kycourier.core.fingerprints import FingerprintKey
from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.record import OrderRecord, OutboxEvent
from kycourier.core.redaction import PhotoBytes, Secret
from kycourier.ports import EvidenceStore
from kycourier.usecases.store_evidence import EvidenceWriter
from support.fakes import START
from support.leaks.canaries import (
    CARD,
    FINGERPRINT_KEY,
    MARK,
    PHOTO,
    PHOTO_PART,
    TICKET,
    TOKEN,
)
from support.leaks.crash_report import report_crash
from support.leaks.leak_scan import find_leaks
from support.sample_records import draft, make_pair

CANARIES = [TOKEN, TICKET, CARD, PHOTO_PART, MARK, FINGERPRINT_KEY]
BODY = json.dumps({"valid_until": MARK})
EVENT = OutboxEvent(id="e1", type="kycourier.bank_card.collected.v1", body=BODY)
PAIR = make_pair()


def assert_failure_leaks_nothing(work: Callable[[], object]) -> None:
    """Assert that a failure exposes no canary and chains no library exception."""
    with pytest.raises(KycourierError) as failure:
        work()
    report = report_crash(failure.value)
    assert len(report) > 1
    assert find_leaks(CANARIES, report) == []
    assert failure.value.__context__ is None


def store_photo(store: EvidenceStore) -> None:
    """Store one collection's evidence as the use case does."""
    key = FingerprintKey("v1", Secret(FINGERPRINT_KEY))
    writer = EvidenceWriter(store, uri="file:///kept", fingerprint_key=key)
    writer.store(claimed_order(), recognized())


def recognized() -> Recognition:
    content = PhotoBytes(PHOTO)
    photo = Photo(
        kind="original",
        content=content,
        sha256=hashlib.sha256(PHOTO).hexdigest(),
        size_bytes=len(PHOTO),
        media_type="image/jpeg",
    )
    return Recognition(
        order_no="order1", fields=CardFields(number=CardNumber(CARD)), photos=(photo,)
    )


def claimed_order() -> OrderRecord:
    return rules.claim(
        draft(),
        owner="one",
        now=START,
        lease=timedelta(seconds=60),
        folder="2026/01/01/a",
    )
