"""What a signed call to collect an order has done already, so that it does it once."""

from datetime import datetime

from msgspec.structs import replace

from kycourier.core.order_record import OrderRecord, State


def is_repeated(
    record: OrderRecord, *, reopens: bool, signed_at: datetime | None
) -> bool:
    """Tell a signed call that counted before, or was signed before one that did."""
    parked = reopens and record.state is State.PARKED
    newest = record.reopened_at if parked else record.called_at
    return signed_at is not None and newest is not None and signed_at <= newest


def note_call(
    record: OrderRecord, *, reopens: bool, signed_at: datetime | None
) -> OrderRecord:
    """Keep when a call that counts was signed, if it was."""
    if signed_at is None:
        return record
    return replace(
        record,
        called_at=max(signed_at, record.called_at or signed_at),
        reopened_at=signed_at if reopens else record.reopened_at,
    )
