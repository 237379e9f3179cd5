"""Serves Tencent Cloud's API on loopback: one address for several services.

It verifies signatures, checks permissions and wraps responses. The signature names the
service, so one address is enough.
"""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from kycourier_devkit.emulators.tencent.http_server import (
    LoopbackServer,
    Request,
    Response,
)
from kycourier_devkit.emulators.tencent.tc3 import CallRefusedError, Key, verify

MAX_BODY_BYTES = 10 << 20
_DOMAIN = "tencentcloudapi.com"
Members = dict[str, Any]
A = TypeVar("A")


class Service(Protocol):
    """One service of the API, with its version and its actions."""

    name: str
    version: str

    def call(self, action: str, payload: Members, region: str) -> Members:
        """Performs an action; returns the response. Raises CallRefusedError."""


class Call(NamedTuple):
    """One call, without its parameters, which may hold secrets."""

    service: str
    action: str
    region: str


class TencentApi:
    """Serves at `url` until `close`; `calls` records the calls with a valid signature.

    `now` returns the Unix time against which signatures are checked.
    """

    def __init__(
        self,
        keys: Iterable[Key],
        services: Iterable[Service],
        *,
        now: Callable[[], float] = time.time,  # noqa: TID251 - a server has its own clock
    ) -> None:
        self._keys = {key.secret_id: key for key in keys}
        self._services = {service.name: service for service in services}
        self._now, self._lock = now, threading.Lock()
        self.calls: list[Call] = []
        self._server = LoopbackServer(self._respond)
        self.url = self._server.url

    def renew(self, *keys: Key) -> None:
        """Replaces the accepted keys."""
        with self._lock:
            self._keys = {key.secret_id: key for key in keys}

    def named(self, service: str, action: str) -> list[Call]:
        """Returns the calls of one action."""
        return [call for call in self.calls if call[:2] == (service, action)]

    def handle(self, request: Request) -> Members:
        """Returns the enveloped response to a request, also if it is an error."""
        members: Members = {}
        try:
            with self._lock:
                members = self._call(request)
        except CallRefusedError as error:
            members = {"Error": {"Code": error.code, "Message": error.message}}
        return {"Response": {**members, "RequestId": str(uuid.uuid4())}}

    def close(self) -> None:
        """Stops serving."""
        self._server.close()

    def _respond(self, request: Request) -> Response:
        """Responds with status 200 even to an error, as the API does."""
        body = json.dumps(self.handle(request)).encode()
        return Response(200, body, (("Content-Type", "application/json"),))

    def _call(self, request: Request) -> Members:
        if len(request.body) > MAX_BODY_BYTES:
            raise CallRefusedError(
                "RequestSizeLimitExceeded", "the request is too large"
            )
        signed = verify(request, self._keys, now=self._now())
        service = self._find(signed.service, request.headers)
        action = _require_header(request.headers, "action")
        region = _require_header(request.headers, "region")
        self.calls.append(Call(service.name, action, region))
        permission = f"{service.name}:{action}"
        if not signed.key.permits(permission):
            text = f"you are not authorized to perform operation ({permission})"
            raise CallRefusedError("UnauthorizedOperation", text)
        return service.call(action, _payload(request), region)

    def _find(self, name: str, headers: Mapping[str, str]) -> Service:
        """Returns the service that host, version and signature name."""
        host = headers["host"]
        service = self._services.get(name)
        mismatch = host.endswith(_DOMAIN) and host.partition(".")[0] != name
        if service is None or mismatch:
            raise CallRefusedError("NoSuchProduct", "the product does not exist")
        if _require_header(headers, "version") != service.version:
            raise CallRefusedError("NoSuchVersion", "the version does not exist")
        return service


def pick(actions: Mapping[str, A], action: str) -> A:
    """Returns the entry of an action. Raises CallRefusedError if there is none."""
    if action not in actions:
        raise CallRefusedError("InvalidAction", "the action does not exist")
    return actions[action]


def _require_header(headers: Mapping[str, str], name: str) -> str:
    if not headers.get(f"x-tc-{name}"):
        raise CallRefusedError("MissingParameter", name.capitalize())
    return headers[f"x-tc-{name}"]


def _payload(request: Request) -> Members:
    try:
        payload = json.loads(request.body)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise CallRefusedError("InvalidParameter", "the body is not a JSON object")
    return payload
