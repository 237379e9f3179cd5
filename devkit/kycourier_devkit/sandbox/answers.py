"""One HTTP answer as a value: what is sent, and how."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http.client import responses

JSON_TYPE = "application/json;charset=UTF-8"
HTML_TYPE = "text/html;charset=UTF-8"


class Delivery(Enum):
    """How the bytes of an answer leave."""

    WHOLE = "at once, the connection stays open"
    DRIP_HEADERS = "the headers byte by byte"
    DRIP_BODY = "the body byte by byte"
    SHORT_BODY = "closed before Content-Length bytes were sent"
    ENDLESS = "without a length, followed by blanks until the client hangs up"
    RESET = "half of the body, then a TCP reset"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; `delay_seconds` pass before anything is sent."""

    body: bytes = field(default=b"", repr=False)
    status: int = 200
    media_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = Delivery.WHOLE
    delay_seconds: float = 0
    revokes_tickets: bool = False

    def head(self, *, close: bool) -> bytes:
        """Write the status line and headers, to the empty line."""
        fields = [("Content-Type", self.media_type), *self.headers]
        if self.delivery is not Delivery.ENDLESS:
            missing = 1024 if self.delivery is Delivery.SHORT_BODY else 0
            fields.append(("Content-Length", str(len(self.body) + missing)))
        if close:
            fields.append(("Connection", "close"))
        status_line = f"HTTP/1.1 {self.status} {responses.get(self.status, 'Unknown')}"
        lines = [status_line, *(f"{name}: {value}" for name, value in fields)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def json_answer(reply: Mapping[str, object]) -> Answer:
    """Send a reply as UTF-8 JSON with status 200."""
    return Answer(json.dumps(reply, ensure_ascii=False).encode())


def html_answer(status: int, *, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Send a gateway's page: HTML that says no more than the status."""
    title = f"{status} {responses.get(status, 'Unknown')}"
    page = f"<html><head><title>{title}</title></head><body>{title}</body></html>\n"
    return Answer(page.encode(), status, HTML_TYPE, headers)
