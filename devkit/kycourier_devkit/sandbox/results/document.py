"""Defines a document as a value, a query of an order, and the reply to it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from kycourier_devkit.sandbox.http.requests import Request
from kycourier_devkit.sandbox.http.responses import Response, json_response
from kycourier_devkit.sandbox.platform import result_codes
from kycourier_devkit.sandbox.platform.parameters import ResultQuery
from kycourier_devkit.sandbox.platform.replies import (
    Json,
    biz_seq_no,
    envelope,
    error_reply,
)
from kycourier_devkit.sandbox.platform.result_codes import DocumentName


@dataclass(frozen=True, kw_only=True, eq=False)
class Document:
    """What is particular to one document.

    Attributes:
        name: Names the list of its codes.
        title: Its name in help and tables.
        method: The HTTP method of its query; another one gets 405.
        path: The path of its query.
        parse: Parses a request to the given app id, or raises PlatformError.
        result: Builds all fields of a complete result.
        secrets: Returns all personal values that an order's replies can have.
        small_jpeg: Returns the smallest JPEG photo of an order.
        originals: Fields of the photos that the platform may store late.
        crops: Fields of the photos cut out of the originals; may never come.
        videos: Fields of the videos.
        not_ready_code: The code while there is no result yet.
        no_record_code: The code for an order that never has a result.
        changed: Returns fields that another recognition of the order would give.
        old_names: Field names of older editions, by the present ones.
    """

    name: DocumentName
    title: str
    method: str
    path: str
    parse: Callable[[Request, str], ResultQuery]
    result: "Callable[[OrderQuery], Json]"
    secrets: Callable[[str], Iterable[str]]
    small_jpeg: Callable[[str], bytes]
    originals: tuple[str, ...]
    crops: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    not_ready_code: str
    no_record_code: str
    changed: Callable[[str], Json]
    old_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def photos(self) -> tuple[str, ...]:
        """The fields of all photos."""
        return (*self.originals, *self.crops)

    @property
    def files(self) -> tuple[str, ...]:
        """The fields of all photos and videos."""
        return (*self.photos, *self.videos)


@dataclass(frozen=True)
class OrderQuery:
    """One query of an order: its number, from 1 on, and instants in epoch seconds."""

    document: Document
    request: ResultQuery
    number: int
    first_at: float
    now: float

    @property
    def order_no(self) -> str:
        """The order number."""
        return self.request.order_no

    @property
    def age_seconds(self) -> float:
        """Seconds since the order's first query."""
        return self.now - self.first_at

    @property
    def biz_seq_no(self) -> str:
        """The platform's number of this query."""
        return biz_seq_no(f"{self.order_no} {self.number}", self.now)

    def reply(self, code: str = result_codes.OK) -> "ResultReply":
        """Returns the reply with a complete result; `code` is that of the envelope."""
        document = self.document
        outer = envelope(
            code, now=self.now, scope=document.name, number=self.biz_seq_no
        )
        return ResultReply(document, outer, document.result(self))

    def error(self, code: str) -> Response:
        """Returns a reply that has a code and no result."""
        return json_response(error_reply(code, now=self.now, scope=self.document.name))


@dataclass(frozen=True)
class ResultReply:
    """The reply to a query before it is serialized."""

    document: Document
    outer: Json
    result: Json
    nested: bool = True

    def with_outer(self, **fields: object) -> "ResultReply":
        """Sets fields beside `result`."""
        return replace(self, outer={**self.outer, **fields})

    def with_result(self, **fields: object) -> "ResultReply":
        """Sets fields in `result`."""
        return replace(self, result={**self.result, **fields})

    def with_present(self, **fields: object) -> "ResultReply":
        """Sets those fields that `result` has."""
        present = {name: fields[name] for name in fields if name in self.result}
        return self.with_result(**present)

    def without(self, *names: str) -> "ResultReply":
        """Removes fields from `result`."""
        kept = {name: self.result[name] for name in self.result if name not in names}
        return replace(self, result=kept)

    def response(self) -> Response:
        """Returns it nested as in the documented samples, or flat as in the tables."""
        if self.nested:
            return json_response({**self.outer, "result": self.result})
        return json_response({**self.result, **self.outer})
