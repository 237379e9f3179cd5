"""Runs the emulated KYC platform for one app on a loopback port."""

import secrets
import string
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import final

from kycourier_devkit.sandbox.app import App, Options
from kycourier_devkit.sandbox.http.control import CONTROL_PREFIX, respond_to_control
from kycourier_devkit.sandbox.http.requests import Request
from kycourier_devkit.sandbox.http.responses import Response
from kycourier_devkit.sandbox.http.server import HOST, LoopbackServer
from kycourier_devkit.sandbox.platform.calls import respond_to_call
from kycourier_devkit.sandbox.platform.parameters import Profile
from kycourier_devkit.sandbox.platform.replies import ExpireIn
from kycourier_devkit.sandbox.platform.tokens import Lifetimes
from kycourier_devkit.sandbox.report import Report

APP_ID = "SANDBOX1"
APP_SECRET = "SANDBOX0SECRET0NOT0REAL0" * 2 + "SANDBOX0SECRET00"

GRANT_MARK = (
    "SYNTHETIC0GRANT0"  # starts every token and ticket, so that leak scans find them
)

_ALPHABET = string.ascii_letters + string.digits
_TOKEN_LENGTH = 64


@final
class Sandbox:
    """A KYC platform on 127.0.0.1: a context manager, or `start` and `close`.

    Thread-safe. Latencies and slow responses end early when the sandbox is closed,
    unless `sleep` is set.

    Args:
        port: 0 for any free port.
        app_id: The only known app.
        app_secret: The app's secret.
        profile: None accepts both names of the app id (`app_id`, `appId`).
        clock: Returns epoch seconds.
        sleep: Waits for seconds.
        token_lifetime_seconds: Lifetime of a token.
        ticket_lifetime_seconds: Lifetime of a SIGN ticket.
        coexistence_seconds: How long a superseded pair stays valid.
        token_latency_seconds: Latency of token and ticket calls.
        query_latency_seconds: Latency of result queries.
        expire_in: The JSON type of the field `expire_in`.
    """

    def __init__(  # noqa: PLR0913 - options
        self,
        port: int = 0,
        *,
        app_id: str = APP_ID,
        app_secret: str = APP_SECRET,
        profile: Profile | None = None,
        clock: Callable[[], float] = time.time,  # noqa: TID251 - the default alone
        sleep: Callable[[float], object] | None = None,
        token_lifetime_seconds: int = 7200,
        ticket_lifetime_seconds: int = 3600,
        coexistence_seconds: float = 60,
        token_latency_seconds: float = 0,
        query_latency_seconds: float = 0,
        expire_in: ExpireIn = "string",
    ) -> None:
        """Sets the options; `start` binds the port."""
        self._port = port
        self._clock = clock
        self._stopping = threading.Event()
        self._sleep = sleep or self._stopping.wait
        self._options = Options(
            app_id=app_id,
            app_secret=app_secret,
            profile=profile,
            lifetimes=Lifetimes(
                token_seconds=token_lifetime_seconds,
                ticket_seconds=ticket_lifetime_seconds,
                coexistence_seconds=coexistence_seconds,
            ),
            expire_in=expire_in,
            token_latency_seconds=token_latency_seconds,
            query_latency_seconds=query_latency_seconds,
        )
        self._app = self._new_app()
        self._canaries: frozenset[str] = frozenset()
        self._server: LoopbackServer | None = None

    def __enter__(self) -> "Sandbox":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The base URL, e.g. `http://127.0.0.1:51234`; RuntimeError if closed."""
        if self._server is None:
            raise RuntimeError("the sandbox is not started")
        return f"http://{HOST}:{self._server.port}"

    def start(self) -> "Sandbox":
        """Binds, and serves in its own threads. Raises OSError if the port is taken."""
        if self._server is None:
            self._stopping.clear()
            self._server = LoopbackServer(
                self._port,
                respond=self._respond,
                connected=self._connected,
                sleep=self._sleep,
            )
        return self

    def close(self) -> None:
        """Closes all connections; grants and counts are kept for the next start."""
        self._stopping.set()
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def run_forever(self) -> None:
        """Serves until Ctrl-C or `close`."""
        with suppress(KeyboardInterrupt), self:
            while not self._stopping.wait(1):
                pass

    def report(self) -> Report:
        """Returns the counts so far."""
        return self._app.copy_report()

    def canaries(self) -> frozenset[str]:
        """Returns all secret values so far, for leak scans; never served over HTTP.

        These are app secrets, tokens, tickets, accepted signatures, and the personal
        values of the queried orders: card numbers, names, ID numbers, addresses.
        """
        return self._canaries | self._app.canaries()

    def kill_ticket(self) -> None:
        """Revokes every token and ticket."""
        self._app.kill_tickets()

    def change_secret(self, new: str) -> None:
        """Changes the app secret, which revokes every token and ticket."""
        self._app.change_secret(new)

    def set_fault(self, kind: str, fault: str, *, times: int = 1) -> None:
        """Applies a fault to the next calls of a kind, instead of an earlier one.

        Args:
            kind: `token`, `ticket` or `query`.
            fault: A fault of behaviours/faults.py or grant_faults.py, e.g. `http503`.
            times: How many calls.

        Raises:
            ValueError: Kind or fault is unknown, or `times` not within 0 to 100000.
        """
        self._app.set_fault(kind, fault=fault, times=times)

    def set_order(self, order_no: str, behaviour: str) -> None:
        """Chooses the behaviour of an order number, e.g. `late3`.

        Raises:
            ValueError: The order number is malformed, or the behaviour not one of
                `order_rows()`.
        """
        self._app.set_order(order_no, behaviour=behaviour)

    def reset(self) -> None:
        """Returns to the initial state: no grants, queries, faults, counts."""
        self._canaries |= self._app.canaries()
        self._app = self._new_app()

    def _new_app(self) -> App:
        return App(
            self._options, clock=self._clock, sleep=self._sleep, new_value=_new_value
        )

    def _connected(self) -> None:
        with self._app.lock:
            self._app.report.connections_opened += 1

    def _respond(self, request: Request) -> Response:
        path = request.path
        if path == CONTROL_PREFIX or path.startswith(f"{CONTROL_PREFIX}/"):
            return respond_to_control(self, request)
        return respond_to_call(self._app, request)


def _new_value() -> str:
    random = _TOKEN_LENGTH - len(GRANT_MARK)
    return GRANT_MARK + "".join(secrets.choice(_ALPHABET) for _ in range(random))
