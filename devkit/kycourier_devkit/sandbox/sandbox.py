"""The emulator as a whole: a KYC platform for one app on a loopback port."""

import secrets
import string
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import final

from kycourier_devkit.sandbox.answers import Answer
from kycourier_devkit.sandbox.app import App, Options
from kycourier_devkit.sandbox.calls import answer_call
from kycourier_devkit.sandbox.control import CONTROL_PREFIX, answer_control
from kycourier_devkit.sandbox.parameters import Profile
from kycourier_devkit.sandbox.platform import Lifetimes
from kycourier_devkit.sandbox.replies import ExpireIn
from kycourier_devkit.sandbox.report import Report
from kycourier_devkit.sandbox.server import HOST, LoopbackServer

APP_ID = "SANDBOX1"
APP_SECRET = "SANDBOX0SECRET0NOT0REAL0" * 2 + "SANDBOX0SECRET00"

GRANT_MARK = "SYNTHETIC0GRANT0"  # begins every token and ticket, so that a leak shows

_ALPHABET = string.ascii_letters + string.digits
_TOKEN_LENGTH = 64


@final
class Sandbox:
    """A KYC platform on 127.0.0.1: a context manager, or `start` and `close`.

    Thread-safe. Lifetimes run on `clock` (epoch seconds); latencies, slow answers and
    drips on `sleep` (seconds), which by default ends early when the sandbox is closed.
    """

    def __init__(  # noqa: PLR0913 - the one place where all of it is chosen
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
        """Choose the port (0: any free one) and the rules; nothing is bound yet.

        With `profile` None both names of the app id are taken, else only that
        profile's (kyc1: `appId`). `expire_in` is the JSON type of that field.
        """
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
        """The base URL, e.g. `http://127.0.0.1:51234`; RuntimeError if not started."""
        if self._server is None:
            raise RuntimeError("the sandbox is not started")
        return f"http://{HOST}:{self._server.port}"

    def start(self) -> "Sandbox":
        """Bind and answer in threads of its own; OSError if the port is taken."""
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
        """Hang up at once; what was granted and counted stays for a next start."""
        self._stopping.set()
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def run_forever(self) -> None:
        """Start and stay until Ctrl-C or `close`."""
        with suppress(KeyboardInterrupt), self:
            while not self._stopping.wait(1):
                pass

    def report(self) -> Report:
        """Copy the counts so far."""
        return self._app.copy_report()

    def canaries(self) -> frozenset[str]:
        """List what must be seen nowhere else: for leak scans, never served.

        App secrets, tokens, tickets, accepted signatures and card numbers.
        """
        return self._canaries | self._app.canaries()

    def kill_ticket(self) -> None:
        """Revoke the current pair, and an older one within its minute."""
        self._app.kill_tickets()

    def change_secret(self, new: str) -> None:
        """Take another app secret; every token and ticket dies at once."""
        self._app.change_secret(new)

    def set_fault(self, kind: str, fault: str, *, times: int = 1) -> None:
        """Let the next `times` calls of a kind (token, ticket, query) meet a fault.

        It replaces what was set for that kind. ValueError for an unknown kind or fault;
        `fault_rows()` has them all.
        """
        self._app.set_fault(kind, fault=fault, times=times)

    def set_order(self, order_no: str, behaviour: str) -> None:
        """Let an order number do what a magic one does, e.g. `late3`.

        ValueError for an unknown behaviour; `order_rows()` has them all.
        """
        self._app.set_order(order_no, behaviour=behaviour)

    def reset(self) -> None:
        """Forget everything: grants, orders, faults, counts, a changed secret."""
        self._canaries |= self._app.canaries()
        self._app = self._new_app()

    def _new_app(self) -> App:
        return App(
            self._options, clock=self._clock, sleep=self._sleep, new_value=_new_value
        )

    def _connected(self) -> None:
        with self._app.lock:
            self._app.report.connections_opened += 1

    def _respond(self, method: str, target: str, body: bytes) -> Answer:
        path = target.partition("?")[0]
        if path.startswith(CONTROL_PREFIX):
            return answer_control(self, method=method, path=path, body=body)
        return answer_call(self._app, method=method, target=target)


def serve(
    port: int, *, profile: Profile | None = None, announce: Callable[[str], object]
) -> None:
    """Run a sandbox until Ctrl-C; `announce` is told its URL once it answers."""
    with suppress(KeyboardInterrupt), Sandbox(port, profile=profile) as sandbox:
        announce(sandbox.url)
        sandbox.run_forever()


def _new_value() -> str:
    random = _TOKEN_LENGTH - len(GRANT_MARK)
    return GRANT_MARK + "".join(secrets.choice(_ALPHABET) for _ in range(random))
