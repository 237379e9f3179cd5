"""Makes the orders of a filled store, in fixed shares.

Of ten orders one is due, one is final with an unsent event, one is due later, and seven
are collected with their event sent.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from bench.environment.function_settings import APP_ID
from kycourier.core.causes import Cause, Problem
from kycourier.core.documents.registry import DEFAULT_DOCUMENT
from kycourier.core.events.cloudevents import build_event
from kycourier.core.evidence import StoredObject
from kycourier.core.orders import follow_up
from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.record import OrderKey, OrderRecord, OrderState, Reason
from kycourier.core.orders.results import CollectedResult

SHARES = 10
DUE_AT, UNSENT_AT, LATER_AT = 0, 1, 2  # an order's number modulo SHARES
LEASE = timedelta(seconds=62)
_LONG_AGO, _LATER = timedelta(days=2), timedelta(days=1)
_TICK = timedelta(microseconds=1)
KINDS = ("original", "cropped", "number")
_STRIDE = 7_919  # a prime: orders are not due in the order of their numbers


def make_order_no(number: int) -> str:
    """Returns the order number with this index."""
    return f"g14x{number:012d}"


def draft_order(number: int, *, now: datetime) -> OrderRecord:
    """Returns the draft of an order that was just registered."""
    return rules.draft(
        OrderKey(APP_ID, make_order_no(number)),
        document=DEFAULT_DOCUMENT,
        now=now,
        ttl=timedelta(hours=48),
        first_sweep=timedelta(minutes=10),
    )


def make_orders(count: int, *, now: datetime) -> Iterator[OrderRecord]:
    """Yields `count` rows that differ in order number and due time only."""
    templates = _make_templates(now - _LONG_AGO)
    for number in range(count):
        at = number % SHARES
        template = templates[min(at, len(templates) - 1)]
        spread = number * _STRIDE % count * _TICK
        begin = now + _LATER if at == LATER_AT else now - _LONG_AGO
        due_at = None if template.due_at is None else begin + spread
        yield replace(template, order_no=make_order_no(number), due_at=due_at)


def claim(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Claims an order for a worker."""
    return rules.claim(
        record, owner="o" * 32, now=now, lease=LEASE, folder=f"2026/11/30/{'f' * 32}"
    )


def release(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Ends an attempt so that the order is due again at once."""
    return rules.retry_later(
        record,
        reason=Reason.TRANSIENT,
        delay=timedelta(0),
        now=now,
        problem=Problem(Cause.TIMED_OUT),
    )


def _make_templates(now: datetime) -> list[OrderRecord]:
    """Returns one order of each kind: due, unsent, due later, and sent."""
    claimed = claim(draft_order(0, now=now), now=now)
    result = _build_result(claimed)
    event = build_event(
        claimed, OrderState.COLLECTED, result.data(), event_id="e" * 32, now=now
    )
    final = rules.finish(
        claimed,
        state=OrderState.COLLECTED,
        reason=None,
        result=result,
        event=event,
        now=now,
    )
    waiting = release(claimed, now=now)
    return [waiting, final, waiting, follow_up.mark_sent(final, now=now)]


def _build_result(record: OrderRecord) -> CollectedResult:
    """Returns a result of the usual length."""
    folder = f"{record.app_id}/{record.folder}"
    *photos, manifest = (
        StoredObject(
            kind=kind,
            key=f"{folder}/{kind}-{'d' * 16}.{extension}",
            sha256="d" * 64,
            size_bytes=166_297,
            media_type=f"image/{extension}",
        )
        for kind, extension in (
            *((kind, "jpeg") for kind in KINDS),
            ("manifest", "json"),
        )
    )
    return CollectedResult(
        masked={
            "card": {
                "number_masked": "622588******0004",
                "number_fingerprint": f"v1:{'f' * 64}",
                "length": 16,
                "luhn_valid": True,
                "valid_until": "2032-12",
                "valid_until_text": "12/2032",
                "expired": False,
            },
            "quality": {"clarity": 79, "warnings": []},
            "recognized_at": "2021-06-21T17:40:06+08:00",
        },
        photos=tuple(photos),
        photos_missing=(),
        manifest=manifest,
        evidence_uri="s3://evidence/evidence",
        biz_seq_no="21062120001184412617492807497465",
        transaction_time="20210621174928",
    )
