"""Faults that can meet any call: refusals and damage.

A refusal takes the place of the work; damage is done to the answer after the work.
"""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from kycourier_devkit.sandbox import codes
from kycourier_devkit.sandbox.answers import Answer, Delivery, html_answer, json_answer
from kycourier_devkit.sandbox.replies import refusal_reply
from kycourier_devkit.sandbox.words import Word

Refuse = Callable[[int, float], Answer]  # (number, epoch seconds) -> the answer
Damage = Callable[[Answer, int], Answer]  # (good answer, number) -> what is sent

DEPTH = 200_000
REDIRECT_TARGET = "/redirected"
_MEBIBYTE = 1024 * 1024
_MOST_MEBIBYTES = 256
_TOO_MANY_REQUESTS = 429


def _code(number: int, now: float) -> Answer:
    return json_answer(refusal_reply(str(number), now=now))


def _named_code(code: str) -> Refuse:
    return lambda _, now: json_answer(refusal_reply(code, now=now))


def _http(status: int, _: float) -> Answer:
    if status == _TOO_MANY_REQUESTS:
        return _throttled("5")
    return html_answer(status)


def _retry_after(seconds: int, _: float) -> Answer:
    return _throttled(str(seconds))


def _retry_garbage(_: int, __: float) -> Answer:
    return _throttled("soon")


def _throttled(retry_after: str) -> Answer:
    headers = (("Retry-After", retry_after),)
    return html_answer(_TOO_MANY_REQUESTS, headers=headers)


def _redirect(_: int, __: float) -> Answer:
    return html_answer(302, headers=(("Location", REDIRECT_TARGET),))


def _html(_: int, __: float) -> Answer:
    return replace(html_answer(503), status=200)


REFUSALS: tuple[Word[Refuse], ...] = (
    Word("codeN", "code N of the list; m is the minus: codem9011x", _code, 66660021),
    Word("codeunknown", "a code that no list has", _named_code(codes.UNLISTED)),
    Word("appunknown", "66660001: no such app", _named_code(codes.UNKNOWN_APP)),
    Word("appexpired", "66660002: service expired", _named_code(codes.SERVICE_EXPIRED)),
    Word("httpN", "HTTP status N with an HTML page; 429: Retry-After 5", _http, 500),
    Word("retryafterN", "HTTP 429 with Retry-After N", _retry_after, 5),
    Word("retrygarbage", "HTTP 429 with Retry-After: soon", _retry_garbage),
    Word("redirect", "HTTP 302 to /redirected; the report says if followed", _redirect),
    Word("html", "HTTP 200 with an HTML page", _html),
)


def _slow(answer: Answer, seconds: int) -> Answer:
    return replace(answer, delay_seconds=seconds)


def _sent(delivery: Delivery) -> Damage:
    return lambda answer, _: replace(answer, delivery=delivery)


def _typed(media_type: str, *, encoding: str) -> Damage:
    return lambda answer, _: replace(
        answer, body=answer.body.decode().encode(encoding), media_type=media_type
    )


def _body(change: Callable[[bytes], bytes]) -> Damage:
    return lambda answer, _: replace(answer, body=change(answer.body))


def _duplicate(body: bytes) -> bytes:
    return b'{"code":"66660011",' + body[1:]


def _nest(body: bytes) -> bytes:
    return b'{"nested":' + b"[" * DEPTH + b"]" * DEPTH + b"," + body[1:]


def _big(answer: Answer, mebibytes: int) -> Answer:
    padding = b"." * (min(mebibytes, _MOST_MEBIBYTES) * _MEBIBYTE)
    return replace(answer, body=b'{"padding":"' + padding + b'",' + answer.body[1:])


def _gzip(answer: Answer, _: int) -> Answer:
    return _zipped(answer, gzip.compress(answer.body, mtime=0))


def _bomb(answer: Answer, mebibytes: int) -> Answer:
    blanks = _zipped_blanks(min(mebibytes, _MOST_MEBIBYTES))
    return _zipped(answer, blanks + gzip.compress(answer.body, mtime=0))


def _zipped(answer: Answer, body: bytes) -> Answer:
    headers = (*answer.headers, ("Content-Encoding", "gzip"))
    return replace(answer, body=body, headers=headers)


@lru_cache(maxsize=4)
def _zipped_blanks(mebibytes: int) -> bytes:
    packer, blanks = zlib.compressobj(level=9, wbits=31), b" " * _MEBIBYTE
    return b"".join(packer.compress(blanks) for _ in range(mebibytes)) + packer.flush()


DAMAGES: tuple[Word[Damage], ...] = (
    Word("slowN", "N seconds before anything is sent", _slow, 5),
    Word("dripheaders", "headers one byte at a time", _sent(Delivery.DRIP_HEADERS)),
    Word("dripbody", "body one byte at a time", _sent(Delivery.DRIP_BODY)),
    Word("endless", "a good body, then blanks without end", _sent(Delivery.ENDLESS)),
    Word("shortbody", "closed before Content-Length", _sent(Delivery.SHORT_BODY)),
    Word("reset", "TCP reset in the middle of the body", _sent(Delivery.RESET)),
    Word("cut", "JSON cut in half", _body(lambda body: body[: len(body) // 2])),
    Word("empty", "an empty body", _body(lambda _: b"")),
    Word("gzip", "gzip that nobody asked for", _gzip),
    Word("bombN", "gzip that grows to N MiB of blanks and a good body", _bomb, 200),
    Word("bigN", "a good reply larger than N MiB", _big, 16),
    Word("deep", "a good reply with 200000 nested lists", _body(_nest)),
    Word("duplicatekeys", "two keys code: 66660011, then 0", _body(_duplicate)),
    Word("gbk", "JSON in GBK", _typed("application/json;charset=GBK", encoding="gbk")),
    Word("textplain", "JSON as text/plain", _typed("text/plain", encoding="utf-8")),
)
