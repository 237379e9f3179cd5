"""Failures that carry canaries on the way in, and must carry none on the way out."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from canaries import CARD, FINGERPRINT_KEY, MARK, PHOTO, PHOTO_PART, TICKET, TOKEN
from crash_report import report_crash
from fakes import START
from kycourier.core import order as rules
from kycourier.core.card import FingerprintKey
from kycourier.core.errors import KycourierError
from kycourier.core.hidden import CardNumber, PhotoBytes, Secret
from kycourier.core.models import Photo, PhotoKind, Recognition
from kycourier.core.order_record import OrderRecord, OutboxEvent
from kycourier.ports import EvidenceStore
from kycourier.usecases.keep_evidence import EvidenceKeeper
from leak_scan import find_leaks
from records import draft, pair

CANARIES = [TOKEN, TICKET, CARD, PHOTO_PART, MARK, FINGERPRINT_KEY]
BODY = json.dumps({"valid_until": MARK})
EVENT = OutboxEvent(id="e1", type="kycourier.ocr.collected.v1", body=BODY)
PAIR = pair()


def assert_silent(work: Callable[[], object]) -> None:
    """Hold that a failure of ours takes no canary along, nor anything foreign."""
    with pytest.raises(KycourierError) as failure:
        work()
    report = report_crash(failure.value)
    assert len(report) > 1
    assert find_leaks(CANARIES, report) == []
    assert failure.value.__context__ is None


def keep_photo(store: EvidenceStore) -> None:
    """Keep one collection's evidence as the story does."""
    key = FingerprintKey("v1", Secret(FINGERPRINT_KEY))
    keeper = EvidenceKeeper(store, uri="file:///kept", fingerprint_key=key)
    keeper.keep(claimed(), recognized())


def recognized() -> Recognition:
    content = PhotoBytes(PHOTO)
    photo = Photo(
        kind=PhotoKind.ORIGINAL,
        content=content,
        sha256=hashlib.sha256(PHOTO).hexdigest(),
        size_bytes=len(PHOTO),
        media_type="image/jpeg",
    )
    return Recognition(order_no="order1", card_number=CardNumber(CARD), photos=(photo,))


def claimed() -> OrderRecord:
    return rules.claim(
        draft(),
        owner="one",
        now=START,
        lease=timedelta(seconds=60),
        folder="2026/01/01/a",
    )
