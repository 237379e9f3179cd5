"""Detects signed calls to collect an order that have taken effect already."""

from datetime import datetime

from msgspec.structs import replace

from kycourier.core.orders.record import OrderRecord, OrderState


def is_repeated(
    record: OrderRecord, *, reopens: bool, signed_at: datetime | None
) -> bool:
    """Checks whether a signed call, or one signed later, took effect before.

    Args:
        record: The row, which keeps when the newest such calls were signed.
        reopens: Whether the call would reopen a parked order.
        signed_at: When it was signed; None if it was not.
    """
    parked = reopens and record.state is OrderState.PARKED
    newest = record.reopened_at if parked else record.called_at
    return signed_at is not None and newest is not None and signed_at <= newest


def record_call(
    record: OrderRecord, *, reopens: bool, signed_at: datetime | None
) -> OrderRecord:
    """Records in the row when a call that takes effect was signed, if it was."""
    if signed_at is None:
        return record
    return replace(
        record,
        called_at=max(signed_at, record.called_at or signed_at),
        reopened_at=signed_at if reopens else record.reopened_at,
    )
