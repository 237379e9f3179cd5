"""Emulates the KYC platform over TLS: token, ticket and results, with a set latency.

The order number chooses the result: `p200000n17` has three photos of 200 000 bytes (a
face has a video), and `u17` is rejected as unreadable, without photos. Arguments:
certificate and key. The command `{"latency": seconds}` sets the latency.
"""

import json
import re
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, urlsplit

from bench.emulators.http_server import Request, Response, Server
from bench.emulators.kyc_reply import (
    build_face_reply,
    build_id_card_reply,
    build_reply,
)

JSON = ("Content-Type: application/json;charset=utf-8",)
TOKEN = {"code": "0", "msg": "ok", "access_token": "t" * 64, "expire_in": "7200"}
TICKET = {"code": "0", "tickets": [{"value": "k" * 64, "expire_in": "3600"}]}
UNREADABLE = {
    "code": "-9011",
    "msg": "ocr failed",
    "bizSeqNo": "21062120001184412617492807497465",
    "transactionTime": "20210621174928",
}
DEFAULT_PHOTO_BYTES = 1000
_SIZE = re.compile("p([0-9]+)n")


class Platform:
    """Responds after `latency` seconds."""

    def __init__(self) -> None:
        self._latency = 0.0

    def configure(self, members: Mapping[str, object]) -> None:
        """Sets the latency, if a command has one."""
        latency = members.get("latency", self._latency)
        if isinstance(latency, float | int):
            self._latency = latency

    def handle(self, request: Request) -> tuple[str, Response]:
        """Returns the last part of the path, which names the call, and the response."""
        url = urlsplit(request.path)
        name = url.path.rpartition("/")[2]
        query, body = parse_qs(url.query), tuple[bytes, ...]()
        if name in _BUILDERS:
            [order_no] = query.get("order_no") or query["orderNo"]
            body = _build_result(order_no, _BUILDERS[name])
        else:
            members = TICKET if name == "api_ticket" else TOKEN
            body = json.dumps(members).encode(), b""
        if self._latency:
            time.sleep(self._latency)
        return name, Response(body=body, headers=JSON)


_BUILDERS: Mapping[str, Callable[[str, int], tuple[bytes, ...]]] = {
    "getBankCardOcrResult": build_reply,
    "getOcrResult": build_id_card_reply,
    "queryfacerecord": build_face_reply,
}


def _build_result(
    order_no: str, build: Callable[[str, int], tuple[bytes, ...]]
) -> tuple[bytes, ...]:
    if order_no.startswith("u"):
        return json.dumps(UNREADABLE).encode(), b""
    found = _SIZE.match(order_no)
    return build(order_no, int(found[1]) if found else DEFAULT_PHOTO_BYTES)


def main(certificate: str, key: str) -> None:
    """Serves until standard input is closed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    platform = Platform()
    Server(platform.handle, context=context).run(platform.configure)


if __name__ == "__main__":
    main(*sys.argv[1:])
