"""Defines the faults of any call: error responses and faults of a good response.

An error response replaces the call; a response fault changes the call's response.
"""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from kycourier_devkit.sandbox.behaviours.spelling import Behaviour
from kycourier_devkit.sandbox.http.responses import (
    Delivery,
    Response,
    html_response,
    json_response,
)
from kycourier_devkit.sandbox.platform import result_codes
from kycourier_devkit.sandbox.platform.replies import error_reply
from kycourier_devkit.sandbox.platform.result_codes import CodeScope

ErrorResponse = Callable[[int, float, CodeScope], Response]  # (number, epoch seconds)
ResponseFault = Callable[[Response, int], Response]  # (good response, number)

_DEPTH = 200_000
REDIRECT_TARGET = "/redirected"
_MEBIBYTE = 1024 * 1024
_MAX_MEBIBYTES = 256
_TOO_MANY_REQUESTS = 429


def _code(number: int, now: float, scope: CodeScope) -> Response:
    return json_response(error_reply(str(number), now=now, scope=scope))


def _named_code(code: str) -> ErrorResponse:
    return lambda _, now, scope: json_response(error_reply(code, now=now, scope=scope))


def _http(status: int, *_: object) -> Response:
    if status == _TOO_MANY_REQUESTS:
        return _throttled("5")
    return html_response(status)


def _retry_after(seconds: int, *_: object) -> Response:
    return _throttled(str(seconds))


def _retry_garbage(*_: object) -> Response:
    return _throttled("soon")


def _throttled(retry_after: str) -> Response:
    headers = (("Retry-After", retry_after),)
    return html_response(_TOO_MANY_REQUESTS, headers=headers)


def _redirect(*_: object) -> Response:
    return html_response(302, headers=(("Location", REDIRECT_TARGET),))


def _html(*_: object) -> Response:
    return replace(html_response(503), status=200)


ERROR_RESPONSES: tuple[Behaviour[ErrorResponse], ...] = (
    Behaviour(
        "codeN", "code N of the list; m is the minus: codem9011x", _code, 66660021
    ),
    Behaviour(
        "codeunknown", "a code that is in no list", _named_code(result_codes.UNLISTED)
    ),
    Behaviour(
        "appunknown",
        "66660001: no such app; stops the whole app",
        _named_code(result_codes.UNKNOWN_APP),
    ),
    Behaviour(
        "appexpired",
        "66660002: service expired; stops the app",
        _named_code(result_codes.SERVICE_EXPIRED),
    ),
    Behaviour(
        "httpN", "HTTP status N with an HTML page; 429 pauses the app", _http, 500
    ),
    Behaviour(
        "retryafterN", "HTTP 429, Retry-After N; pauses the app", _retry_after, 5
    ),
    Behaviour("retrygarbage", "HTTP 429, Retry-After: soon", _retry_garbage),
    Behaviour(
        "redirect", "HTTP 302 to /redirected; the report counts followers", _redirect
    ),
    Behaviour("html", "HTTP 200 with an HTML page", _html),
)


def _slow(response: Response, seconds: int) -> Response:
    return replace(response, delay_seconds=seconds)


def _delivered(delivery: Delivery) -> ResponseFault:
    return lambda response, _: replace(response, delivery=delivery)


def _with_type(media_type: str, *, encoding: str) -> ResponseFault:
    return lambda response, _: replace(
        response, body=response.body.decode().encode(encoding), media_type=media_type
    )


def _with_body(change: Callable[[bytes], bytes]) -> ResponseFault:
    return lambda response, _: replace(response, body=change(response.body))


def _duplicate(body: bytes) -> bytes:
    return b'{"code":"66660011",' + body[1:]


def _nest(body: bytes) -> bytes:
    return b'{"nested":' + b"[" * _DEPTH + b"]" * _DEPTH + b"," + body[1:]


def _big(response: Response, mebibytes: int) -> Response:
    padding = b"." * (min(mebibytes, _MAX_MEBIBYTES) * _MEBIBYTE)
    return replace(response, body=b'{"padding":"' + padding + b'",' + response.body[1:])


def _gzip(response: Response, _: int) -> Response:
    return _zipped(response, gzip.compress(response.body, mtime=0))


def _bomb(response: Response, mebibytes: int) -> Response:
    blanks = _zipped_blanks(min(mebibytes, _MAX_MEBIBYTES))
    return _zipped(response, blanks + gzip.compress(response.body, mtime=0))


def _zipped(response: Response, body: bytes) -> Response:
    headers = (*response.headers, ("Content-Encoding", "gzip"))
    return replace(response, body=body, headers=headers)


@lru_cache(maxsize=4)
def _zipped_blanks(mebibytes: int) -> bytes:
    packer, blanks = zlib.compressobj(level=9, wbits=31), b" " * _MEBIBYTE
    return b"".join(packer.compress(blanks) for _ in range(mebibytes)) + packer.flush()


RESPONSE_FAULTS: tuple[Behaviour[ResponseFault], ...] = (
    Behaviour("slowN", "N seconds before anything is sent", _slow, 5),
    Behaviour(
        "dripheaders", "headers one byte at a time", _delivered(Delivery.DRIP_HEADERS)
    ),
    Behaviour("dripbody", "body one byte at a time", _delivered(Delivery.DRIP_BODY)),
    Behaviour(
        "endless", "a good body, then endless blanks", _delivered(Delivery.ENDLESS)
    ),
    Behaviour(
        "shortbody", "closed before Content-Length", _delivered(Delivery.SHORT_BODY)
    ),
    Behaviour(
        "reset", "TCP reset in the middle of the body", _delivered(Delivery.RESET)
    ),
    Behaviour(
        "cut", "JSON cut in half", _with_body(lambda body: body[: len(body) // 2])
    ),
    Behaviour("empty", "an empty body", _with_body(lambda _: b"")),
    Behaviour("gzip", "gzip without Accept-Encoding", _gzip),
    Behaviour(
        "bombN", "gzip that expands to N MiB of blanks and a good body", _bomb, 200
    ),
    Behaviour("bigN", "a good reply larger than N MiB", _big, 16),
    Behaviour("deep", "a good reply with 200000 nested lists", _with_body(_nest)),
    Behaviour(
        "duplicatekeys", "two keys code: 66660011, then 0", _with_body(_duplicate)
    ),
    Behaviour(
        "gbk", "JSON in GBK", _with_type("application/json;charset=GBK", encoding="gbk")
    ),
    Behaviour(
        "textplain", "JSON as text/plain", _with_type("text/plain", encoding="utf-8")
    ),
)
