"""Who calls the gateway: some callers with a kept connection each, as fast as it goes.

An order is accepted when the API answered for it, which may be later than its event: so
its time runs from the call. No more than `window` orders are
accepted and unended at a time: the run measures the service, not a queue of its own.
"""

import http.client
import time
from collections.abc import Iterator
from threading import Lock, Semaphore, Thread

from bench.processes import BenchFailed

CALLERS = 8
TRIES = 5
_HEADERS = {"Prefer": "respond-async", "Content-Length": "0"}
_ACCEPTED = {200, 202}
_PATIENCE_SECONDS = 30.0


class Callers:
    """Has every order collected; `accepted` says when it was called for."""

    def __init__(self, port: int, orders: Iterator[str], *, window: int) -> None:
        self._port, self._orders = port, orders
        self._turn, self._room = Lock(), Semaphore(window)
        self.accepted: dict[str, float] = {}
        self.asked_again = 0
        self.is_stopped = False
        self._problems: list[str] = []
        self._threads = [Thread(target=self._run, daemon=True) for _ in range(CALLERS)]

    def begin(self) -> None:
        """Start calling."""
        for thread in self._threads:
            thread.start()

    def note_ended(self, count: int) -> None:
        """Make room for as many orders as have ended."""
        self._room.release(count)

    @property
    def are_done(self) -> bool:
        """Tell whether every order was accepted. Raises BenchFailed."""
        if self._problems:
            raise BenchFailed(self._problems[0])
        return not any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Call no more."""
        self.is_stopped = True
        self._room.release(CALLERS)

    def hear_out(self) -> None:
        """Wait for the answers to come: an event may be there before its call's."""
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS)

    def _run(self) -> None:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=_PATIENCE_SECONDS
        )
        try:
            while (order_no := self._take()) is not None:
                self._room.acquire()
                if self.is_stopped:
                    return
                self._have_collected(connection, order_no)
        except (OSError, http.client.HTTPException) as error:
            self._problems.append(f"a call failed: {type(error).__name__}")
        except BenchFailed as error:
            self._problems.append(str(error))
        finally:
            connection.close()

    def _take(self) -> str | None:
        with self._turn:
            return next(self._orders, None)

    def _have_collected(
        self, connection: http.client.HTTPConnection, order_no: str
    ) -> None:
        """Ask until it is accepted, as a caller does who is told to come again."""
        for number in range(TRIES):
            called_at = time.monotonic()
            connection.request(
                "POST", f"/v1/orders/{order_no}/collection", headers=_HEADERS
            )
            answer = connection.getresponse()
            answer.read()
            if answer.status in _ACCEPTED:
                with self._turn:
                    self.accepted[order_no] = called_at
                return
            with self._turn:
                self.asked_again += 1
            time.sleep(0.1 * 2**number)
        raise BenchFailed(f"an order was answered {answer.status}, {TRIES} times")
