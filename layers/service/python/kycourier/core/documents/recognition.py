"""What the platform recognized for one order, whatever the document."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NewType, Protocol

from msgspec import Struct

from kycourier.core.fingerprints import FingerprintKey
from kycourier.core.redaction import PhotoBytes, ReplyBody, Secret, repr_only
from kycourier.core.result_codes import Rejected
from kycourier.core.wire.messages import KycRequest

Document = NewType("Document", str)  # the name of what was scanned: `bank_card`
Options = Mapping[str, str]  # settings of documents: name → the chosen word
NO_OPTIONS: Options = MappingProxyType({})


class Photo(Struct, frozen=True, kw_only=True):
    """One photo or video as received. `sha256`: 64 lower-case hexadecimal digits."""

    kind: str
    content: PhotoBytes
    sha256: str
    size_bytes: int
    media_type: str


@repr_only("photos")
class Recognition(Struct, frozen=True, kw_only=True):
    """One reply with a result.

    `fields` are the document's own, for its own module alone. `photos_missing` are the
    kinds that did not come: all for good if the reply `is_settled`, else they may be
    late, and `is_incomplete` if one of them must be waited for: for `patience`, None
    for the deployment's. `refusal` is why a person was refused although there is a
    result. `transaction_time` is `yyyyMMddHHmmss`.
    """

    order_no: str | None
    fields: object
    photos: tuple[Photo, ...] = ()
    photos_missing: tuple[str, ...] = ()
    is_settled: bool = False
    is_incomplete: bool = False
    patience: timedelta | None = None
    refusal: Rejected | None = None
    recognized_at: datetime | None = None
    biz_seq_no: str | None = None
    transaction_time: str | None = None


class DocumentType(Protocol):
    """All that is particular to one document; one module of this package each."""

    name: Document
    photo_kinds: tuple[str, ...]

    def build_request(
        self,
        *,
        app_id: str,
        order_no: str,
        ticket: Secret,
        nonce: str,
        options: Options = NO_OPTIONS,
    ) -> KycRequest:
        """Builds the signed query for one order's result."""

    def parse_reply(
        self, body: ReplyBody, options: Options = NO_OPTIONS
    ) -> Recognition | Rejected:
        """Parses the query's reply. Raises MalformedReplyError."""

    def mask(
        self, recognition: Recognition, key: FingerprintKey
    ) -> Mapping[str, object]:
        """Builds what event and manifest show: masked values only."""

    def reveal(self, recognition: Recognition) -> Mapping[str, object]:
        """Builds what is sealed: every field as it was recognized, in clear."""

    def identity(self, masked: Mapping[str, object]) -> object:
        """Returns the part of `mask` that must be equal in every query's result."""

    def headline(self, masked: Mapping[str, object]) -> str | None:
        """Returns the masked value by which a person recognizes the result."""
