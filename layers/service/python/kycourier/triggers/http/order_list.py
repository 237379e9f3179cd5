"""The route that lists orders: filters and paging, the newest registered first."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec
import pybase64
from msgspec import Struct

from kycourier.core.causes import Cause
from kycourier.core.documents.registry import parse_document
from kycourier.core.errors import ApiProblemError
from kycourier.core.orders.order_request import parse_order_no
from kycourier.core.orders.pages import FindCursor, OrderFilter
from kycourier.core.orders.record import OrderState, describe
from kycourier.core.redaction import repr_only
from kycourier.ports import OrderStore
from kycourier.triggers.http.event import ApiResponse, HttpRequest
from kycourier.triggers.http.problems import build_json

DEFAULT_LIMIT, MAX_LIMIT = 50, 100
PARAMETERS = ("state", "document", "cause", "since", "until", "limit", "cursor")
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"[0-9]{4}(-[0-9]{2}){2}[Tt][0-9]{2}(:[0-9]{2}){2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_CURSOR = re.compile("[A-Za-z0-9_-]{1,200}")

T = TypeVar("T")


@repr_only("version")
class _Place(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a cursor holds; `version` is that of its form."""

    version: int
    registered_at: datetime
    order_no: str


class OrderList:
    """Handles requests for lists of one app's orders."""

    def __init__(self, app_id: str, *, orders: OrderStore) -> None:
        self._app_id, self._orders = app_id, orders

    def show(self, request: HttpRequest) -> ApiResponse:
        """Lists a page of orders. Raises ApiProblemError, StoreUnavailableError."""
        given = _parse_query(request.query)
        wanted = OrderFilter(
            state=_parse(given, "state", OrderState),
            document=_parse(given, "document", parse_document),
            cause=_parse(given, "cause", Cause),
            since=_parse(given, "since", parse_instant),
            until=_parse(given, "until", parse_instant),
        )
        page = self._orders.find(
            self._app_id,
            wanted,
            limit=_parse(given, "limit", _parse_limit) or DEFAULT_LIMIT,
            after=_parse(given, "cursor", decode_cursor),
        )
        cursor = encode_cursor(page.next) if page.next else None
        orders = [describe(record) for record in page.records]
        return build_json(200, {"orders": orders, "next_cursor": cursor})


def _parse_query(query: str) -> Mapping[str, str]:
    """Parses a query of known names, each at most once."""
    given: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        if name not in PARAMETERS:
            raise ApiProblemError("bad_parameter")
        if name in given:
            raise ApiProblemError("bad_parameter", name)
        given[name] = _decode(value)
    return given


def _decode(value: str) -> str:
    """Decodes a value as signatures do: a `+` stays a plus sign, as in `+08:00`."""
    with suppress(UnicodeDecodeError):
        return unquote(value, errors="strict")
    return "\0"  # not UTF-8: no parameter's value


def _parse(given: Mapping[str, str], name: str, parse: Callable[[str], T]) -> T | None:
    if name not in given:
        return None
    with suppress(ValueError, OverflowError):
        return parse(given[name])
    raise ApiProblemError("bad_parameter", name)


def parse_instant(text: str) -> datetime:
    """Parses RFC 3339, or a date, which is its first moment in UTC.

    Raises:
        ValueError: it is neither.
    """
    if _DATE.fullmatch(text):
        return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    if not _TIME.fullmatch(text):
        raise ValueError
    whole, _, rest = text.upper().replace("Z", "+00:00").partition(".")
    if rest:  # Python 3.10 reads three or six digits
        digits = re.match("[0-9]+", rest)
        fraction = digits[0] if digits else ""
        whole += f".{fraction:0<6}{rest[len(fraction) :]}"
    return datetime.fromisoformat(whole).astimezone(timezone.utc)


def _parse_limit(text: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_LIMIT:
        raise ValueError
    return int(text)


def encode_cursor(cursor: FindCursor) -> str:
    """Returns a cursor as callers pass it back."""
    place = _Place(1, cursor.registered_at, cursor.order_no)
    encoded = pybase64.urlsafe_b64encode(msgspec.json.encode(place))
    return encoded.decode().rstrip("=")


def decode_cursor(text: str) -> FindCursor:
    """Reverses `encode_cursor`. Raises ValueError for any other text."""
    if not _CURSOR.fullmatch(text):
        raise ValueError
    padded = text + "=" * (-len(text) % 4)
    place: Any = msgspec.json.decode(pybase64.urlsafe_b64decode(padded), type=_Place)
    if place.version != 1 or place.registered_at.tzinfo is None:
        raise ValueError
    cursor = FindCursor(place.registered_at, place.order_no)
    if encode_cursor(cursor) != text or not _is_order_no(place.order_no):
        raise ValueError
    return cursor


def _is_order_no(text: str) -> bool:
    with suppress(ApiProblemError):
        return parse_order_no(text) == text
    return False
