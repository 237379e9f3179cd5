"""Defines an HTTP response as a value: its content, and how it is sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http.client import responses

JSON_TYPE = "application/json;charset=UTF-8"
HTML_TYPE = "text/html;charset=UTF-8"
_MISSING_BYTES = 1024


class Delivery(Enum):
    """How the bytes of a response are sent."""

    WHOLE = "in one piece; the connection stays open"
    DRIP_HEADERS = "the headers byte by byte"
    DRIP_BODY = "the body byte by byte"
    SHORT_BODY = "closed before Content-Length bytes are sent"
    ENDLESS = "no Content-Length, then blanks until the client disconnects"
    RESET = "half of the body, then a TCP reset"


@dataclass(frozen=True)
class Response:
    """An HTTP response; `delay_seconds` pass before anything is sent."""

    body: bytes = field(default=b"", repr=False)
    status: int = 200
    media_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = Delivery.WHOLE
    delay_seconds: float = 0
    revokes_tickets: bool = False

    def head(self, *, close: bool) -> bytes:
        """Returns the status line and headers, including the empty line."""
        fields = [("Content-Type", self.media_type), *self.headers]
        if self.delivery is not Delivery.ENDLESS:
            missing = _MISSING_BYTES if self.delivery is Delivery.SHORT_BODY else 0
            fields.append(("Content-Length", str(len(self.body) + missing)))
        if close:
            fields.append(("Connection", "close"))
        status_line = f"HTTP/1.1 {self.status} {responses.get(self.status, 'Unknown')}"
        lines = [status_line, *(f"{name}: {value}" for name, value in fields)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def json_response(reply: Mapping[str, object]) -> Response:
    """Returns a reply as UTF-8 JSON with status 200; a lone surrogate is escaped."""
    text = json.dumps(reply, ensure_ascii=False)
    return Response(text.encode(errors="backslashreplace"))


def html_response(
    status: int, *, headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    """Returns the HTML page of a gateway, with the status as its text."""
    title = f"{status} {responses.get(status, 'Unknown')}"
    page = f"<html><head><title>{title}</title></head><body>{title}</body></html>\n"
    return Response(page.encode(), status, HTML_TYPE, headers)
