"""What stands in a store of a size: orders by the rules, in fixed shares.

Of ten orders one is due, one is final with an event that is due to be sent, one waits
for a later time, and seven are collected for good.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from bench.environments import APP_ID
from kycourier.core import order as rules
from kycourier.core.events import build_event
from kycourier.core.models import Document, OrderKey
from kycourier.core.order_record import OrderRecord, Reason, State

SHARES = 10
DUE_AT, UNSENT_AT, LATER_AT = 0, 1, 2  # an order's number modulo SHARES
LEASE = timedelta(seconds=62)
_LONG_AGO, _LATER = timedelta(days=2), timedelta(days=1)
_TICK = timedelta(microseconds=1)
KINDS = ("original", "cropped", "number")
MANIFEST = f"manifest-{'d' * 16}.json"
_MIXES = 7_919  # a prime, so that orders are not due in the order of their numbers


def name_order(number: int) -> str:
    """Spell an order's number."""
    return f"g14x{number:012d}"


def draft_order(number: int, *, now: datetime) -> OrderRecord:
    """Begin the order, as whoever names it does."""
    return rules.draft(
        OrderKey(APP_ID, name_order(number)),
        document=Document.BANK_CARD,
        now=now,
        ttl=timedelta(hours=48),
        first_sweep=timedelta(minutes=10),
    )


def make_orders(count: int, *, now: datetime) -> Iterator[OrderRecord]:
    """Make so many rows, numbered from 0 on, by template but for number and time."""
    shapes = _make_shapes(now - _LONG_AGO)
    for number in range(count):
        at = number % SHARES
        shape = shapes[min(at, len(shapes) - 1)]
        spread = number * _MIXES % count * _TICK
        begin = now + _LATER if at == LATER_AT else now - _LONG_AGO
        due_at = None if shape.due_at is None else begin + spread
        yield replace(shape, order_no=name_order(number), due_at=due_at)


def take(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Claim an order for a worker."""
    return rules.claim(
        record, owner="o" * 32, now=now, lease=LEASE, folder=f"2026/11/30/{'f' * 32}"
    )


def put_back(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """End an attempt so that the order is due again at once."""
    return rules.wait(record, reason=Reason.TRANSIENT, delay=timedelta(0), now=now)


def _make_shapes(now: datetime) -> list[OrderRecord]:
    """Give one order of each kind: due, unsent, later, and all others."""
    claimed = take(draft_order(0, now=now), now=now)
    event = build_event(
        claimed, State.COLLECTED, _build_data(claimed), event_id="e" * 32, now=now
    )
    settled = rules.settle(
        claimed, state=State.COLLECTED, reason=None, event=event, now=now
    )
    waiting = put_back(claimed, now=now)
    return [waiting, settled, waiting, rules.mark_sent(settled, now=now)]


def _build_data(record: OrderRecord) -> dict[str, object]:
    """Give a collected order's data as long as it usually is."""
    objects = [
        {
            "uri": f"s3://evidence/evidence/{record.app_id}/{record.folder}/{name}",
            "sha256": "d" * 64,
        }
        for name in (*(f"{kind}-{'d' * 16}.jpg" for kind in KINDS), MANIFEST)
    ]
    photos = [
        {"kind": kind, **each, "bytes": 166_297, "media_type": "image/jpeg"}
        for kind, each in zip(KINDS, objects, strict=False)
    ]
    return {
        "card": {
            "number_masked": "622588******0004",
            "number_fingerprint": f"v1:{'f' * 64}",
            "number_sealed": None,
            "length": 16,
            "luhn_valid": True,
            "valid_until": "2032-12",
            "expired": False,
        },
        "quality": {"clarity": 79, "warnings": []},
        "recognized_at": "2021-06-21T17:40:06+08:00",
        "photos": photos,
        "photos_missing": [],
        "manifest": objects[-1],
        "upstream": {
            "biz_seq_no": "21062120001184412617492807497465",
            "transaction_time": "20210621174928",
        },
    }
