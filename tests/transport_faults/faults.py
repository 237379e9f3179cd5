"""The faults of the way to the platform, 1 to 17, as one table."""

import gzip
import json
import socket
from collections.abc import Callable
from typing import NamedTuple

from hostile import Peer, head, reply
from transport_faults.upstream import HOST, Upstream, Work

PAGE_TEXT = "canary-of-a-gateways-page"
PAGE = f"<html><body>{PAGE_TEXT}</body></html>".encode()
GBK_TEXT = "canary-" + "\u4e00\u8054\u7801" * 4
Act = Callable[[Upstream, Peer, Work], None]
Lead = Callable[[Upstream], str]


class Fault(NamedTuple):
    """One fault: either what a heard call comes to, or where the name leads.

    `named` is what the transport calls it, None when it hands on a reply. A call that
    hangs is given `call_seconds`, and takes them all.
    """

    number: int
    act: Act | None = None
    lead: Lead | None = None
    named: frozenset[str] | None = None
    call_seconds: float | None = None
    throttles: bool = False


def fails(*names: str) -> frozenset[str]:
    return frozenset(names)


# 1 to 4: no connection


def unknown(_: Upstream) -> str:
    raise socket.gaierror(socket.EAI_NONAME, f"{HOST} is not known")


def no_answer_of_the_resolver(upstream: Upstream) -> str:
    upstream.server.closing.wait(30)
    raise socket.gaierror(socket.EAI_AGAIN, f"{HOST} is not known")


def nobody_listens(_: Upstream) -> str:
    return "127.0.0.77"


def certificate(kind: str) -> Lead:
    return lambda upstream: upstream.start_impostor(kind)


# 5 to 8: the answer does not come, or not whole; the work has been done


def drip_head(_: Upstream, peer: Peer, work: Work) -> None:
    work()
    peer.drip(head(status="200 OK")[:-2])
    while True:
        peer.drip(b"X-Name: value\r\n")


def drip_body(_: Upstream, peer: Peer, work: Work) -> None:
    answer = work()
    peer.send(answer.head(close=False))
    peer.drip(answer.body[:-1])
    peer.pause()


def reset_mid_body(_: Upstream, peer: Peer, work: Work) -> None:
    answer = work()
    peer.send(answer.head(close=False) + answer.body[: len(answer.body) // 2])
    peer.reset()
    raise EOFError


def close_early(_: Upstream, peer: Peer, work: Work) -> None:
    answer = work()
    peer.send(answer.head(close=False) + answer.body[:-1])
    raise EOFError


# 10 to 14: another answer


def refuse(status: str, *headers: str, page: bytes = PAGE) -> Act:
    """Answer in place of the work."""
    data = reply(page, *headers, status=status)
    return lambda _, peer, __: peer.send(data)


def redirect(status: str) -> Act:
    def act(upstream: Upstream, peer: Peer, _: Work) -> None:
        to = upstream.elsewhere.url.replace("127.0.0.1", HOST)
        peer.send(reply(PAGE, f"Location: {to}/next", status=status))

    return act


def in_gbk(_: Upstream, peer: Peer, work: Work) -> None:
    body = json.loads(work().body) | {"msg": GBK_TEXT}
    text = json.dumps(body, ensure_ascii=False)
    kind = "Content-Type: application/json;charset=GBK"
    peer.send(reply(text.encode("gbk"), kind))


# 15 to 17: too much, or too little


def bomb(_: Upstream, peer: Peer, __: Work) -> None:
    blanks = gzip.compress(b" " * 2**20) * 200
    peer.send(reply(blanks, "Content-Encoding: gzip"))


def endless(_: Upstream, peer: Peer, work: Work) -> None:
    peer.send(head("Content-Type: application/json") + work().body)
    peer.flood(b" " * 65536)
    raise EOFError


def cut(_: Upstream, peer: Peer, work: Work) -> None:
    """Cut the JSON, with the length of what is left."""
    body = work().body
    peer.send(reply(body[: len(body) // 2]))


RESET = fails("reset", "tls")
TIMEOUT = fails("timeout")
FAULTS = {
    "1 name does not resolve": Fault(1, lead=unknown, named=fails("resolve")),
    "1 the resolver hangs": Fault(
        1, lead=no_answer_of_the_resolver, named=TIMEOUT, call_seconds=0.5
    ),
    "2 port closed": Fault(2, lead=nobody_listens, named=fails("connect")),
    "3 connect hangs": Fault(3, lead=Upstream.hold_port, named=TIMEOUT, call_seconds=8),
    "4 expired certificate": Fault(4, lead=certificate("expired"), named=fails("tls")),
    "4 wrong-host certificate": Fault(
        4, lead=certificate("elsewhere"), named=fails("tls")
    ),
    "4 self-signed certificate": Fault(
        4, lead=certificate("self_signed"), named=fails("tls")
    ),
    "5 headers drip": Fault(5, drip_head, named=TIMEOUT, call_seconds=0.5),
    "6 body drips": Fault(6, drip_body, named=TIMEOUT, call_seconds=0.5),
    "7 reset mid-body": Fault(7, reset_mid_body, named=RESET),
    "8 closed before Content-Length": Fault(8, close_early, named=RESET),
    "10 500": Fault(10, refuse("500 Oops")),
    "10 503": Fault(10, refuse("503 Busy")),
    "10 504": Fault(10, refuse("504 Late")),
    "11 Retry-After 5": Fault(11, refuse("429 Slow", "Retry-After: 5"), throttles=True),
    "11 Retry-After 1e9": Fault(
        11, refuse("429 Slow", "Retry-After: 1000000000"), throttles=True
    ),
    "11 Retry-After garbage": Fault(
        11, refuse("429 Slow", "Retry-After: 1e9 soon"), throttles=True
    ),
    "12 redirect 302": Fault(12, redirect("302 Found")),
    "12 redirect 307": Fault(12, redirect("307 Again")),
    "13 HTML page with 200": Fault(13, refuse("200 OK", "Content-Type: text/html")),
    "14 GBK bytes": Fault(14, in_gbk),
    "15 gzip bomb": Fault(15, bomb, named=fails("encoded")),
    "16 endless body": Fault(16, endless, named=fails("too_large")),
    "17 JSON cut": Fault(17, cut),
}
