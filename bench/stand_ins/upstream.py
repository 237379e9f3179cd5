"""The KYC platform over TLS, with a set latency: token, ticket, and results of a size.

An order's number says how large each of its three photos is: `p200000n17` has three of
200 000 bytes. `u17` was scanned and cannot be read: a refusal for good, without photos.
`python upstream.py CERTIFICATE KEY`; orders: `latency`, in seconds.
"""

import json
import re
import ssl
import sys
import time
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from bench.stand_ins.reply import build_reply
from bench.stand_ins.serving import Answer, Request, Server

JSON = ("Content-Type: application/json;charset=utf-8",)
TOKEN = {"code": "0", "msg": "ok", "access_token": "t" * 64, "expire_in": "7200"}
TICKET = {"code": "0", "tickets": [{"value": "k" * 64, "expire_in": "3600"}]}
UNREAD = {
    "code": "-9011",
    "msg": "ocr failed",
    "bizSeqNo": "21062120001184412617492807497465",
    "transactionTime": "20210621174928",
}
SIZE = re.compile("p([0-9]+)n")


class Platform:
    """Answers after `latency` seconds."""

    def __init__(self) -> None:
        self._latency = 0.0

    def tell(self, members: Mapping[str, object]) -> None:
        """Take a new latency, if one is told."""
        latency = members.get("latency", self._latency)
        if isinstance(latency, float | int):
            self._latency = latency

    def answer(self, request: Request) -> tuple[str, Answer]:
        """Answer one call, named by its path's last part."""
        url = urlsplit(request.path)
        name = url.path.rpartition("/")[2]
        if name == "getBankCardOcrResult":
            [order_no] = parse_qs(url.query)["order_no"]
            body = _build_result(order_no)
        else:
            told = TICKET if name == "api_ticket" else TOKEN
            body = json.dumps(told).encode(), b""
        if self._latency:
            time.sleep(self._latency)
        return name, Answer(body=body, headers=JSON)


def _build_result(order_no: str) -> tuple[bytes, bytes]:
    if order_no.startswith("u"):
        return json.dumps(UNREAD).encode(), b""
    found = SIZE.match(order_no)
    return build_reply(order_no, int(found[1]) if found else 1000)


def main(certificate: str, key: str) -> None:
    """Serve until standard input ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    platform = Platform()
    Server(platform.answer, context=context).run(platform.tell)


if __name__ == "__main__":
    main(*sys.argv[1:])
