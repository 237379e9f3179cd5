"""The values that travel between rules, stories and adapters."""

from datetime import datetime
from enum import Enum

from msgspec import Struct

from kycourier.core.hidden import CardNumber, PhotoBytes, Query, ReplyBody, shows


class Document(str, Enum):
    """What was scanned."""

    BANK_CARD = "bank_card"


class PhotoKind(str, Enum):
    """The three photos of a card scan; the original is the test of completeness."""

    ORIGINAL = "original"
    CROPPED = "cropped"
    NUMBER = "number"


class OrderKey(Struct, frozen=True):
    """The unit of work: one scan of one app."""

    app_id: str
    order_no: str


class KycRequest(Struct, frozen=True, kw_only=True):
    """One GET to the platform, below its base URL."""

    path: str
    query: Query


@shows("status")
class KycReply(Struct, frozen=True, kw_only=True):
    """One whole HTTP reply; any status. `retry_after` is the header's text."""

    status: int
    body: ReplyBody
    retry_after: str | None = None


class Photo(Struct, frozen=True, kw_only=True):
    """One photo as received. `sha256`: 64 lower-case hexadecimal digits."""

    kind: PhotoKind
    content: PhotoBytes
    sha256: str
    size_bytes: int
    media_type: str


@shows("photos")
class Recognition(Struct, frozen=True, kw_only=True):
    """What the platform recognized for one order.

    `valid_until` is `YYYY-MM` or None, `warnings` are codes as sent, `clarity` is a
    number, `recognized_at` is in UTC+8, `transaction_time` is `yyyyMMddHHmmss`.
    """

    order_no: str | None
    card_number: CardNumber
    valid_until: str | None = None
    warnings: tuple[str, ...] = ()
    clarity: int | float | None = None
    recognized_at: datetime | None = None
    biz_seq_no: str | None = None
    transaction_time: str | None = None
    photos: tuple[Photo, ...] = ()

    def missing(self) -> tuple[PhotoKind, ...]:
        """Name the photos that did not come, the original first."""
        here = {photo.kind for photo in self.photos}
        return tuple(kind for kind in PhotoKind if kind not in here)


class Lease(Struct, frozen=True, kw_only=True):
    """An exclusive right that ends by itself; both instants by the store's clock."""

    owner: str
    fence: int
    seen_at: datetime
    ends_at: datetime

    def remaining_seconds(self) -> float:
        """How long it still lasted when the store was asked."""
        return (self.ends_at - self.seen_at).total_seconds()
