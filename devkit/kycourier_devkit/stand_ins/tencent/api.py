"""Tencent Cloud's API on loopback: several services behind one verified front.

Each service keeps what it is told; this front knows keys, permissions and envelopes.
The service is the one that a request was signed for, so one address serves them all.
"""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from kycourier_devkit.stand_ins.tencent.loopback import Loopback, Reply, Request
from kycourier_devkit.stand_ins.tencent.tc3 import Key, Refusal, verify

MOST_BODY_BYTES = 10 << 20
_DOMAIN = "tencentcloudapi.com"
Members = dict[str, Any]
A = TypeVar("A")


class Service(Protocol):
    """One service of the API: a version, and actions that take and give JSON."""

    name: str
    version: str

    def call(self, action: str, payload: Members, region: str) -> Members:
        """Do it, and give the answer's members. Raises Refusal."""


class Call(NamedTuple):
    """What was asked of which service; never what with."""

    service: str
    action: str
    region: str


class TencentApi:
    """Serves at `url` until it is closed; `calls` are those whose signature was right.

    `now` gives the Unix seconds that signatures are judged by.
    """

    def __init__(
        self,
        keys: Iterable[Key],
        services: Iterable[Service],
        *,
        now: Callable[[], float] = time.time,  # noqa: TID251 - a server's own clock
    ) -> None:
        self._keys = {key.secret_id: key for key in keys}
        self._services = {service.name: service for service in services}
        self._now, self._lock = now, threading.Lock()
        self.calls: list[Call] = []
        self._server = Loopback(self._reply)
        self.url = self._server.url

    def renew(self, *keys: Key) -> None:
        """Know these keys from now on, and no others."""
        with self._lock:
            self._keys = {key.secret_id: key for key in keys}

    def named(self, service: str, action: str) -> list[Call]:
        """Give the calls of an action."""
        return [call for call in self.calls if call[:2] == (service, action)]

    def answer(self, request: Request) -> Members:
        """Answer a request in the API's envelope; one at a time."""
        told: Members = {}
        try:
            with self._lock:
                told = self._call(request)
        except Refusal as refusal:
            told = {"Error": {"Code": refusal.code, "Message": refusal.message}}
        return {"Response": {**told, "RequestId": str(uuid.uuid4())}}

    def close(self) -> None:
        """Serve no more."""
        self._server.close()

    def _reply(self, request: Request) -> Reply:
        """Answer with status 200 also what is refused: that is the API's way."""
        body = json.dumps(self.answer(request)).encode()
        return Reply(200, body, (("Content-Type", "application/json"),))

    def _call(self, request: Request) -> Members:
        if len(request.body) > MOST_BODY_BYTES:
            raise Refusal("RequestSizeLimitExceeded", "the request is too large")
        signed = verify(request, self._keys, now=self._now())
        service = self._find(signed.service, request.headers)
        action = _demand(request.headers, "action")
        region = _demand(request.headers, "region")
        self.calls.append(Call(service.name, action, region))
        permission = f"{service.name}:{action}"
        if not signed.key.may(permission):
            said = f"you are not authorized to perform operation ({permission})"
            raise Refusal("UnauthorizedOperation", said)
        return service.call(action, _payload(request), region)

    def _find(self, name: str, headers: Mapping[str, str]) -> Service:
        """Give the service that was signed for, and asked for by name and version."""
        host = headers["host"]
        service = self._services.get(name)
        misled = host.endswith(_DOMAIN) and host.partition(".")[0] != name
        if service is None or misled:
            raise Refusal("NoSuchProduct", "the product does not exist")
        if _demand(headers, "version") != service.version:
            raise Refusal("NoSuchVersion", "the version does not exist")
        return service


def pick(actions: Mapping[str, A], action: str) -> A:
    """Give what a service does for an action. Raises Refusal."""
    if action not in actions:
        raise Refusal("InvalidAction", "the action does not exist")
    return actions[action]


def _demand(headers: Mapping[str, str], name: str) -> str:
    if not headers.get(f"x-tc-{name}"):
        raise Refusal("MissingParameter", name.capitalize())
    return headers[f"x-tc-{name}"]


def _payload(request: Request) -> Members:
    try:
        payload = json.loads(request.body)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise Refusal("InvalidParameter", "the body is no JSON object")
    return payload
