"""What of an order's result is shown to a person: the masked number and photos."""

from collections.abc import Mapping
from typing import Any

from kycourier.core.order_record import OrderRecord, describe

NOTHING = "-"


def describe_card(record: OrderRecord) -> str:
    """Give the masked card number, or a dash."""
    card: Mapping[str, Any] = result_of(record).get("card") or {}
    return str(card.get("number_masked") or NOTHING)


def describe_photos(record: OrderRecord) -> str:
    """Tell how many photos are kept, and how many are missing; a dash for neither."""
    result = result_of(record)
    if "photos" not in result:
        return NOTHING
    missing = len(result["photos_missing"])
    return f"{len(result['photos'])}" + (f" ({missing} missing)" if missing else "")


def result_of(record: OrderRecord) -> Mapping[str, Any]:
    """Give the last event's data, empty until there is one."""
    result = describe(record)["result"]
    return result if isinstance(result, dict) else {}
