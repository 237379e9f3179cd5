"""Serves COS's S3 protocol: a proxy before moto's S3 that applies COS's differences.

COS ignores S3's create-only condition: PUT replaces an object. It does not support S3's
checksums: here a request with one is rejected, to prove that none is sent. It lists
objects with version 1 of S3's operation. A request without a valid signature is
rejected.
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

from kycourier_devkit.emulators.tencent.http_server import (
    LoopbackServer,
    Request,
    Response,
)
from kycourier_devkit.emulators.tencent.sigv4 import verify_signature
from kycourier_devkit.emulators.tencent.tc3 import CallRefusedError, Key

_ADDRESS = re.compile(r"(localhost|[0-9.]+|\[.*\])(:\d+)?")
_CONDITIONS = {"if-none-match", "if-match"}
_DROPPED = {"connection", "content-length", "host", "transfer-encoding"}
_VERSION_2_PARAMETERS = {
    "list-type",
    "start-after",
    "continuation-token",
    "fetch-owner",
}
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
    """One call, without its content."""

    action: str
    bucket: str
    key: str
    headers: tuple[str, ...]


class Cos:
    """Serves at `url` until `close`; `target` is moto's URL.

    `calls` records the calls with a valid signature; `now` returns the Unix time
    against which signatures are checked.
    """

    def __init__(
        self,
        target: str,
        keys: Iterable[Key],
        *,
        now: Callable[[], float] = time.time,  # noqa: TID251 - a server has its own clock
    ) -> None:
        self._target, self._now = urlsplit(target).netloc, now
        self._keys = {key.secret_id: key for key in keys}
        self._lock = threading.Lock()
        self.calls: list[Call] = []
        self._server = LoopbackServer(self._respond)
        self.url = self._server.url

    def make_bucket(self, name: str) -> None:
        """Creates a bucket, without any check."""
        self._forward(Request("PUT", f"/{name}", {}, b""))

    def read(self, bucket: str, name: str) -> bytes | None:
        """Returns an object, without any check; None if there is none."""
        signed = {"authorization": "of the cloud"}  # moto wants two words or more
        found = self._forward(Request("GET", f"/{bucket}/{name}", signed, b""))
        return found.body if found.status == HTTPStatus.OK else None

    def renew(self, *keys: Key) -> None:
        """Replaces the accepted keys."""
        with self._lock:
            self._keys = {key.secret_id: key for key in keys}

    def named(self, action: str) -> list[Call]:
        """Returns the calls of one action (`cos:PutObject`)."""
        return [call for call in self.calls if call.action == action]

    def close(self) -> None:
        """Stops serving."""
        self._server.close()

    def _respond(self, request: Request) -> Response:
        try:
            response = self._handle(request)
        except CallRefusedError as error:
            code = error.code
            members = f"<Code>{code}</Code><Message>{error.message}</Message>"
            kind = ("content-type", "application/xml")
            body = f"<Error>{members}</Error>".encode()
            response = Response(_STATUS.get(code, 403), body, (kind,))
        ids = (("x-cos-request-id", uuid.uuid4().hex), ("server", "tencent-cos"))
        kept = [each for each in response.headers if not each[0].startswith("x-amz-")]
        return response._replace(headers=(*kept, *ids))

    def _handle(self, request: Request) -> Response:
        with self._lock:
            key = verify_signature(request, self._keys, now=self._now())
        path, _, query = request.path.partition("?")
        host = request.headers["host"]
        if not _ADDRESS.fullmatch(host):
            path = f"/{host.partition('.')[0]}{path}"
        bucket, _, name = path.lstrip("/").partition("/")
        action = _ACTIONS.get((request.method, bool(name)))
        if action is None:
            raise CallRefusedError("MethodNotAllowed", "not emulated")
        self.calls.append(Call(action, bucket, name, tuple(request.headers)))
        if not key.permits(action):
            raise CallRefusedError("AccessDenied", "Access Denied.")
        if any("checksum" in header for header in request.headers):
            raise CallRefusedError("InvalidArgument", "checksums are not supported")
        headers = {
            header: text
            for header, text in request.headers.items()
            if header not in _CONDITIONS
        }
        query = _to_version_1(query) if action == "cos:GetBucket" else query
        path = f"{path}?{query}" if query else path
        return self._forward(request._replace(path=path, headers=headers))

    def _forward(self, request: Request) -> Response:
        upstream = http.client.HTTPConnection(self._target, timeout=_SECONDS)
        try:
            sent = {k: v for k, v in request.headers.items() if k not in _DROPPED}
            upstream.request(request.method, request.path, request.body or None, sent)
            received = upstream.getresponse()
            body = received.read()
        finally:
            upstream.close()
        headers = [(name.lower(), text) for name, text in received.getheaders()]
        dropped = (
            _DROPPED if request.method != "HEAD" else _DROPPED - {"content-length"}
        )
        passed = [each for each in headers if each[0] not in {*dropped, "server"}]
        return Response(received.status, body, tuple(passed))


def _to_version_1(query: str) -> str:
    """Removes the parameters of ListObjectsV2, which COS ignores."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([pair for pair in pairs if pair[0] not in _VERSION_2_PARAMETERS])
