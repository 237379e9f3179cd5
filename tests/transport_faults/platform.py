"""The emulator of the platform behind real sockets, with one fault at a time."""

import socket
import ssl
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from kycourier.ports import Clock
from kycourier_devkit.sandbox import Sandbox
from kycourier_devkit.sandbox.http.requests import Request
from kycourier_devkit.sandbox.http.responses import Response
from kycourier_devkit.sandbox.platform.calls import TICKET_PATH, TOKEN_PATH
from kycourier_devkit.sandbox.results import bank_card
from kycourier_devkit.sandbox.results.bank_card import RESULT_PATH
from support.servers.certificates import Certificates
from support.servers.hostile_server import (
    HostileServer,
    Peer,
    full_backlog_port,
    http_response,
    respond_always,
)

HOST = "kyc.test"
FULL_BACKLOG_ADDRESS = "127.0.0.9"
IMPOSTOR_ADDRESS = "127.0.0.5"
PHOTO = b"\xff\xd8\xffsynthetic".ljust(64, b".")
PHOTO_TEXT = b64encode(PHOTO).decode()
KINDS = {TOKEN_PATH: "token", TICKET_PATH: "ticket", RESULT_PATH: "query"}
_NEXT_CALL = {"token": "ticket", "ticket": "query", "query": "query"}
MAX_CANARIES = 60

Handle = Callable[[], Response]


class FaultyPlatform:
    """The platform; a fault concerns calls of one kind: token, ticket or query.

    `fault_count` counts the responses and the connections that met the fault.
    `other_server` is another host, to which no client may connect.
    """

    def __init__(
        self, stack: ExitStack, clock: Clock, certificates: Certificates | None = None
    ) -> None:
        self._stack, self._certificates = stack, certificates
        tls = certificates.good if certificates else None
        self.sandbox = Sandbox(clock=lambda: clock.now().timestamp())
        self.server = self._open(HostileServer(self._serve, tls=tls))
        self.other_server = self._open(
            HostileServer(respond_always(http_response()), tls=tls)
        )
        host = HOST if tls else "127.0.0.1"
        self.url = self.server.url.replace("127.0.0.1", host)
        self.impostor: HostileServer | None = None
        self.calls: Counter[str] = Counter()
        self.queries: Counter[str] = Counter()
        self.fault_count = 0
        self.closes = self._is_backlog_full = False
        self._lock = threading.Lock()
        self._next_call = "token"
        self.clear_fault()

    def set_fault(self, fault, kind: str) -> None:
        """Inject a fault into calls of a kind until it is cleared."""
        with self._lock:
            self._fault, self._kind = fault, kind
            self.closes = fault.resolve is not None

    def clear_fault(self) -> None:
        """Respond without faults from now on."""
        self._fault, self._kind = None, ""

    def resolve(self) -> str:
        """Return the address of the platform's name. Raises socket.gaierror."""
        with self._lock:
            fault = self._fault
            is_faulty = fault and fault.resolve and self._kind == self._next_call
            if is_faulty:
                self.fault_count += 1
                self._next_call = "query" if self._kind == "query" else "token"
        return fault.resolve(self) if is_faulty else "127.0.0.1"

    def start_impostor(self) -> str:
        """Serve at another address with a bad certificate; returns the address."""
        if self.impostor is None:
            tls: ssl.SSLContext = self._certificates.self_signed
            at = (IMPOSTOR_ADDRESS, self.server.port)
            self.impostor = self._open(HostileServer(self._serve, tls=tls, address=at))
        return IMPOSTOR_ADDRESS

    def full_backlog(self) -> str:
        """Return an address that accepts no connection."""
        if not self._is_backlog_full:
            held = full_backlog_port(FULL_BACKLOG_ADDRESS, self.server.port)
            self._stack.enter_context(held)
            self._is_backlog_full = True
        return FULL_BACKLOG_ADDRESS

    def canaries(self) -> set[str]:
        """Return what no sink may hold; of a thousand signatures, a sample."""
        pairs = set(self.sandbox._app.tokens.secrets())
        rest = sorted(self.sandbox.canaries() - pairs)[:MAX_CANARIES]
        return {*pairs, *rest, PHOTO_TEXT, PHOTO.hex()}

    def _open(self, server: HostileServer) -> HostileServer:
        return self._stack.enter_context(closing(server))

    def _serve(self, peer: Peer) -> None:
        while True:
            self._respond(peer, peer.read_request().split(b" ")[1].decode())
            if self.closes:
                return

    def _respond(self, peer: Peer, target: str) -> None:
        url = urlsplit(target)
        kind = KINDS[url.path]
        fault = self._count(kind, parse_qs(url.query))
        if fault:
            fault.respond(self, peer, lambda: self._handle(target))
            return
        response = self._handle(target)
        with self._lock:
            self._next_call = _NEXT_CALL[kind]
        peer.send(response.head(close=self.closes) + response.body)

    def _count(self, kind: str, query: dict[str, list[str]]):
        with self._lock:
            self.calls[kind] += 1
            self.queries.update(query.get("order_no", ()))
            fault = self._fault
            if fault is None or fault.respond is None or self._kind != kind:
                return None
            self.fault_count += 1
            return fault

    def _handle(self, target: str) -> Response:
        return self.sandbox._respond(Request("GET", target))


@contextmanager
def resolving(platform: FaultyPlatform, monkeypatch: pytest.MonkeyPatch):
    """Resolve the platform's name on this machine, and make its photos small."""
    look_up = socket.getaddrinfo

    def get_address(host, *more, **options):
        return look_up(platform.resolve() if host == HOST else host, *more, **options)

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", get_address)
        patch.setattr(bank_card, "photo_texts", lambda _: (PHOTO_TEXT,) * 3)
        yield
