"""The table of the transport faults, 1 to 17."""

import gzip
import json
import socket
from collections.abc import Callable
from typing import NamedTuple

from support.servers.hostile_server import Peer, http_head, http_response
from transport_faults.platform import HOST, FaultyPlatform, Handle

PAGE_TEXT = "canary-of-a-gateways-page"
PAGE = f"<html><body>{PAGE_TEXT}</body></html>".encode()
GBK_TEXT = "canary-" + "\u4e00\u8054\u7801" * 4
Respond = Callable[[FaultyPlatform, Peer, Handle], None]
Resolve = Callable[[FaultyPlatform], str]


class Fault(NamedTuple):
    """One fault: either another response, or another address of the platform.

    Attributes:
        number: The row of the table in docs/reliability.md.
        respond: What a request gets instead of its response.
        resolve: Returns the address that the platform's name resolves to.
        reasons: Possible reasons of the transport's error; None if it returns a reply.
        cause: Why an order waits after such a reply.
        call_seconds: The timeout of a call that hangs; the call lasts that long.
        throttles: Whether the reply is a request to slow down.
    """

    number: int
    respond: Respond | None = None
    resolve: Resolve | None = None
    reasons: tuple[str, ...] | None = None
    cause: str = "http_status"
    call_seconds: float | None = None
    throttles: bool = False


# 1 to 4: no connection


def unknown_name(_: FaultyPlatform) -> str:
    raise socket.gaierror(socket.EAI_NONAME, f"{HOST} is not known")


def resolver_hangs(platform: FaultyPlatform) -> str:
    platform.server.closing.wait(30)
    raise socket.gaierror(socket.EAI_AGAIN, f"{HOST} is not known")


def closed_port(_: FaultyPlatform) -> str:
    return "127.0.0.77"


# 5 to 8: the request has its effect, but its response is late or incomplete


def drip_head(_: FaultyPlatform, peer: Peer, handle: Handle) -> None:
    handle()
    peer.drip(http_head(status="200 OK")[:-2])
    while True:
        peer.drip(b"X-Name: value\r\n")


def drip_body(_: FaultyPlatform, peer: Peer, handle: Handle) -> None:
    response = handle()
    peer.send(response.head(close=False))
    peer.drip(response.body[:-1])
    peer.pause()


def reset_mid_body(_: FaultyPlatform, peer: Peer, handle: Handle) -> None:
    response = handle()
    peer.send(response.head(close=False) + response.body[: len(response.body) // 2])
    peer.reset()
    raise EOFError


def close_early(_: FaultyPlatform, peer: Peer, handle: Handle) -> None:
    response = handle()
    peer.send(response.head(close=False) + response.body[:-1])
    raise EOFError


# 10 to 14: another response


def respond_with(status: str, *headers: str, page: bytes = PAGE) -> Respond:
    """Respond without handling the request."""
    data = http_response(page, *headers, status=status)
    return lambda _, peer, __: peer.send(data)


def redirect(platform: FaultyPlatform, peer: Peer, _: Handle) -> None:
    target = platform.other_server.url.replace("127.0.0.1", HOST)
    peer.send(http_response(PAGE, f"Location: {target}/next", status="302 Found"))


def in_gbk(_: FaultyPlatform, peer: Peer, __: Handle) -> None:
    """Respond without a result: a message in GBK alone does no harm."""
    body = {"code": "0", "msg": GBK_TEXT}
    text = json.dumps(body, ensure_ascii=False)
    kind = "Content-Type: application/json;charset=GBK"
    peer.send(http_response(text.encode("gbk"), kind))


# 15 to 17: too much, or too little


def bomb(_: FaultyPlatform, peer: Peer, __: Handle) -> None:
    blanks = gzip.compress(b" " * 2**20) * 200
    peer.send(http_response(blanks, "Content-Encoding: gzip"))


def endless(_: FaultyPlatform, peer: Peer, handle: Handle) -> None:
    peer.send(http_head("Content-Type: application/json") + handle().body)
    peer.flood(b" " * 65536)
    raise EOFError


def cut(_: FaultyPlatform, peer: Peer, handle: Handle) -> None:
    """Cut the JSON, with a right Content-Length."""
    body = handle().body
    peer.send(http_response(body[: len(body) // 2]))


RESET = ("connection_reset", "tls_failed")
TIMEOUT = ("timed_out",)
FAULTS = {
    "1 name does not resolve": Fault(
        1, resolve=unknown_name, reasons=("resolve_failed",)
    ),
    "1 the resolver hangs": Fault(
        1, resolve=resolver_hangs, reasons=TIMEOUT, call_seconds=0.5
    ),
    "2 port closed": Fault(2, resolve=closed_port, reasons=("connect_failed",)),
    "3 connect hangs": Fault(
        3, resolve=FaultyPlatform.full_backlog, reasons=TIMEOUT, call_seconds=8
    ),
    "4 bad certificate": Fault(
        4, resolve=FaultyPlatform.start_impostor, reasons=("tls_failed",)
    ),
    "5 headers drip": Fault(5, drip_head, reasons=TIMEOUT, call_seconds=0.5),
    "6 body drips": Fault(6, drip_body, reasons=TIMEOUT, call_seconds=0.5),
    "7 reset mid-body": Fault(7, reset_mid_body, reasons=RESET),
    "8 closed before Content-Length": Fault(8, close_early, reasons=RESET),
    "10 503": Fault(10, respond_with("503 Busy")),
    "11 429": Fault(11, respond_with("429 Slow", "Retry-After: 5"), throttles=True),
    "12 redirect": Fault(12, redirect),
    "13 HTML page with 200": Fault(
        13,
        respond_with("200 OK", "Content-Type: text/html"),
        cause="reply_not_json",
    ),
    "14 GBK bytes": Fault(14, in_gbk, cause="reply_malformed"),
    "15 gzip bomb": Fault(15, bomb, reasons=("reply_encoded",)),
    "16 endless body": Fault(16, endless, reasons=("reply_too_large",)),
    "17 JSON cut": Fault(17, cut, cause="reply_not_json"),
}
