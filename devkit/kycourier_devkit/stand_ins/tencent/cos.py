"""COS by S3's protocol: moto's S3, with COS's known differences applied in front of it.

COS knows no create-only condition of S3's: an object that is put is replaced. It knows
none of S3's checksums: here a request with one is refused, so that none is sent. Its
listings are those of S3's first version. What has no right signature is refused.
"""

import http.client
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from kycourier_devkit.stand_ins.tencent.loopback import Loopback, Reply, Request
from kycourier_devkit.stand_ins.tencent.sigv4 import check_signature
from kycourier_devkit.stand_ins.tencent.tc3 import Key, Refusal

_ADDRESS = re.compile(r"(localhost|[0-9.]+|\[.*\])(:\d+)?")
_CONDITIONS = {"if-none-match", "if-match"}
_DROPPED = {"connection", "content-length", "host", "transfer-encoding"}
_SECOND_VERSION = {"list-type", "start-after", "continuation-token", "fetch-owner"}
_ACTIONS = {
    ("GET", True): "cos:GetObject",
    ("HEAD", True): "cos:HeadObject",
    ("PUT", True): "cos:PutObject",
    ("DELETE", True): "cos:DeleteObject",
    ("GET", False): "cos:GetBucket",
    ("HEAD", False): "cos:HeadBucket",
}
_STATUS = {"InvalidArgument": 400, "MethodNotAllowed": 405}
_SECONDS = 30


class Call(NamedTuple):
    """What was asked of which bucket, and with which headers; never the bytes."""

    action: str
    bucket: str
    key: str
    headers: tuple[str, ...]


class Cos:
    """Serves at `url` until it is closed; `target` is moto's URL.

    `calls` are those whose signature was right; `now` gives the Unix seconds that
    signatures are judged by.
    """

    def __init__(
        self,
        target: str,
        keys: Iterable[Key],
        *,
        now: Callable[[], float] = time.time,  # noqa: TID251 - a server's own clock
    ) -> None:
        self._target, self._now = urlsplit(target).netloc, now
        self._keys = {key.secret_id: key for key in keys}
        self._lock = threading.Lock()
        self.calls: list[Call] = []
        self._server = Loopback(self._reply)
        self.url = self._server.url

    def make_bucket(self, name: str) -> None:
        """Make a bucket, as a person does beforehand."""
        self._forward(Request("PUT", f"/{name}", {}, b""))

    def read(self, bucket: str, name: str) -> bytes | None:
        """Read an object as the cloud's own services do."""
        signed = {"authorization": "the cloud's own"}  # moto asks for one, whichever
        reply = self._forward(Request("GET", f"/{bucket}/{name}", signed, b""))
        return reply.body if reply.status == HTTPStatus.OK else None

    def renew(self, *keys: Key) -> None:
        """Know these keys from now on, and no others."""
        with self._lock:
            self._keys = {key.secret_id: key for key in keys}

    def named(self, action: str) -> list[Call]:
        """Give the calls of an action (`cos:PutObject`)."""
        return [call for call in self.calls if call.action == action]

    def close(self) -> None:
        """Serve no more."""
        self._server.close()

    def _reply(self, request: Request) -> Reply:
        try:
            reply = self._answer(request)
        except Refusal as refusal:
            code = refusal.code
            told = f"<Code>{code}</Code><Message>{refusal.message}</Message>"
            kind = ("content-type", "application/xml")
            body = f"<Error>{told}</Error>".encode()
            reply = Reply(_STATUS.get(code, 403), body, (kind,))
        ids = (("x-cos-request-id", uuid.uuid4().hex), ("server", "tencent-cos"))
        kept = [each for each in reply.headers if not each[0].startswith("x-amz-")]
        return reply._replace(headers=(*kept, *ids))

    def _answer(self, request: Request) -> Reply:
        with self._lock:
            key = check_signature(request, self._keys, now=self._now())
        path, _, query = request.path.partition("?")
        host = request.headers["host"]
        if not _ADDRESS.fullmatch(host):
            path = f"/{host.partition('.')[0]}{path}"
        bucket, _, name = path.lstrip("/").partition("/")
        action = _ACTIONS.get((request.method, bool(name)))
        if action is None:
            raise Refusal("MethodNotAllowed", "not here")
        self.calls.append(Call(action, bucket, name, tuple(request.headers)))
        if not key.may(action):
            raise Refusal("AccessDenied", "Access Denied.")
        if any("checksum" in header for header in request.headers):
            raise Refusal("InvalidArgument", "no such checksum")
        asked = {
            header: text
            for header, text in request.headers.items()
            if header not in _CONDITIONS
        }
        asked_for = _first_version(query) if action == "cos:GetBucket" else query
        path = f"{path}?{asked_for}" if asked_for else path
        return self._forward(request._replace(path=path, headers=asked))

    def _forward(self, request: Request) -> Reply:
        upstream = http.client.HTTPConnection(self._target, timeout=_SECONDS)
        try:
            asked = {k: v for k, v in request.headers.items() if k not in _DROPPED}
            upstream.request(request.method, request.path, request.body or None, asked)
            got = upstream.getresponse()
            body = got.read()
        finally:
            upstream.close()
        headers = [(name.lower(), text) for name, text in got.getheaders()]
        dropped = (
            _DROPPED if request.method != "HEAD" else _DROPPED - {"content-length"}
        )
        passed = [each for each in headers if each[0] not in {*dropped, "server"}]
        return Reply(got.status, body, tuple(passed))


def _first_version(query: str) -> str:
    """Ask for a listing as COS reads the question."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([pair for pair in pairs if pair[0] not in _SECOND_VERSION])
