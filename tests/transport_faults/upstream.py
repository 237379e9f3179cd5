"""The platform behind real sockets: the emulator, but for the fault that is set."""

import socket
import ssl
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from certificates import Certificates
from hostile import HostileServer, Peer, answering, reply, unaccepting_port
from kycourier.ports import Clock
from kycourier_devkit.sandbox import Sandbox, replies
from kycourier_devkit.sandbox.answers import Answer
from kycourier_devkit.sandbox.calls import RESULT_PATH, TICKET_PATH, TOKEN_PATH

HOST = "kyc.test"
DEAF_ADDRESS = "127.0.0.9"
PHOTO = b"\xff\xd8\xffsynthetic"
PHOTO_TEXT = b64encode(PHOTO).decode()
KINDS = {TOKEN_PATH: "token", TICKET_PATH: "ticket", RESULT_PATH: "query"}
_AFTER = {"token": "ticket", "ticket": "query", "query": "query"}
MOST_CANARIES = 60
_SECONDS_OF_WORK = 0.003

Work = Callable[[], Answer]


class Upstream:
    """One platform; a fault is met by its kind of call (token, ticket, query) alone.

    `act` is what a call that is heard comes to; `lead` is where the platform's name
    leads when that call needs a new connection. `met` counts either. `elsewhere` is
    another host, which nobody should ask anything.
    """

    def __init__(
        self, stack: ExitStack, clock: Clock, certificates: Certificates | None = None
    ) -> None:
        self._stack, self._certificates = stack, certificates
        tls = certificates.good if certificates else None
        self.sandbox = Sandbox(clock=lambda: clock.now().timestamp())
        self.server = self._open(HostileServer(self._play, tls=tls))
        self.elsewhere = self._open(HostileServer(answering(reply()), tls=tls))
        host = HOST if tls else "127.0.0.1"
        self.url = self.server.url.replace("127.0.0.1", host)
        self.impostors: dict[str, HostileServer] = {}
        self.calls: Counter[str] = Counter()
        self.queries: Counter[str] = Counter()
        self.met = self.most_at_once = self._at_once = 0
        self.closes = self._holds = False
        self._lock = threading.Lock()
        self._awaited = "token"
        self.mend()

    def set_fault(self, fault, kind: str) -> None:
        """Let calls of a kind meet the fault until it is mended."""
        with self._lock:
            self._fault, self._kind, self.closes = fault, kind, fault.lead is not None

    def mend(self) -> None:
        """Be well from now on."""
        self._fault, self._kind = None, ""

    @contextmanager
    def mended(self):
        """Be well for a while."""
        fault, kind = self._fault, self._kind
        self.mend()
        yield
        self.set_fault(fault, kind)

    def lead(self) -> str:
        """Say where the platform's name leads now; raises what resolving does."""
        with self._lock:
            fault = self._fault
            met = fault and fault.lead and self._kind == self._awaited
            if met:
                self.met += 1
                self._awaited = "query" if self._kind == "query" else "token"
        return fault.lead(self) if met else "127.0.0.1"

    def start_impostor(self, kind: str) -> str:
        """Answer at another address, with one of the bad certificates."""
        address = f"127.0.0.{2 + sorted(Certificates._fields).index(kind)}"
        if kind not in self.impostors:
            tls: ssl.SSLContext = getattr(self._certificates, kind)
            server = HostileServer(
                self._play, tls=tls, address=(address, self.server.port)
            )
            self.impostors[kind] = self._open(server)
        return address

    def hold_port(self) -> str:
        """Accept nobody at another address."""
        if not self._holds:
            held = unaccepting_port(DEAF_ADDRESS, self.server.port)
            self._stack.enter_context(held)
            self._holds = True
        return DEAF_ADDRESS

    def canaries(self) -> set[str]:
        """List what must be seen nowhere else; of a thousand signatures, some."""
        pairs = set(self.sandbox._app.platform.secrets())
        rest = sorted(self.sandbox.canaries() - pairs)[:MOST_CANARIES]
        return {*pairs, *rest, PHOTO_TEXT, PHOTO.hex()}

    def _open(self, server: HostileServer) -> HostileServer:
        return self._stack.enter_context(closing(server))

    def _play(self, peer: Peer) -> None:
        while True:
            self._answer(peer, peer.hear().split(b" ")[1].decode())
            peer.answered += 1
            if self.closes:
                return

    def _answer(self, peer: Peer, target: str) -> None:
        url = urlsplit(target)
        kind = KINDS[url.path]
        fault = self._begin(kind, parse_qs(url.query))
        peer.pause(_SECONDS_OF_WORK)
        with self._lock:
            self._at_once -= 1
        if fault:
            fault.act(self, peer, lambda: self._work(target))
            return
        answer = self._work(target)
        with self._lock:
            self._awaited = _AFTER[kind]
        peer.send(answer.head(close=self.closes) + answer.body)

    def _begin(self, kind: str, query: dict[str, list[str]]):
        with self._lock:
            self.calls[kind] += 1
            self.queries.update(query.get("order_no", ()))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            fault = self._fault
            if fault is None or fault.act is None or self._kind != kind:
                return None
            self.met += 1
            return fault

    def _work(self, target: str) -> Answer:
        return self.sandbox._respond("GET", target, b"")


@contextmanager
def resolving(upstream: Upstream, monkeypatch: pytest.MonkeyPatch):
    """Let the platform's name be known on this machine, and photos be small."""
    look_up = socket.getaddrinfo

    def answer(host, *more, **options):
        return look_up(upstream.lead() if host == HOST else host, *more, **options)

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", answer)
        patch.setattr(replies, "photo_texts", lambda _: (PHOTO_TEXT,) * 3)
        yield
