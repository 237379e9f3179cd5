"""Renders an order's result for the terminal: masked card number and photos."""

from collections.abc import Mapping
from typing import Any

from kycourier.core.orders.record import OrderRecord, describe

NOTHING = "-"


def masked_card_number(record: OrderRecord) -> str:
    """Returns the masked card number, or a dash."""
    card: Mapping[str, Any] = result_of(record).get("card") or {}
    return str(card.get("number_masked") or NOTHING)


def photo_count(record: OrderRecord) -> str:
    """Returns the number of photos, and of missing ones; a dash without a result."""
    result = result_of(record)
    if "photos" not in result:
        return NOTHING
    missing = len(result["photos_missing"])
    return f"{len(result['photos'])}" + (f" ({missing} missing)" if missing else "")


def result_of(record: OrderRecord) -> Mapping[str, Any]:
    """Returns the data of the order's last event; empty before the first event."""
    result = describe(record)["result"]
    return result if isinstance(result, dict) else {}
