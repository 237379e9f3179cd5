"""Callers of the gateway, each with a kept connection, as fast as it responds.

An order counts as accepted when the API responds, which can be after its event; its
latency starts with the call. At most `window` orders are in progress at a time, so that
latencies are those of the service and not of a backlog.
"""

import http.client
import time
from collections.abc import Iterator
from threading import Lock, Semaphore, Thread

from bench.errors import BenchError

CALLERS = 8
MAX_TRIES = 5
_HEADERS = {"Prefer": "respond-async", "Content-Length": "0"}
_ACCEPTED = {200, 202}
_TIMEOUT_SECONDS = 30.0


class Callers:
    """Requests the collection of every order; `accepted` has the time of each call."""

    def __init__(self, port: int, orders: Iterator[str], *, window: int) -> None:
        self._port, self._orders = port, orders
        self._lock, self._window = Lock(), Semaphore(window)
        self.accepted: dict[str, float] = {}
        self.retried_calls = 0
        self.is_stopped = False
        self._problems: list[str] = []
        self._threads = [Thread(target=self._run, daemon=True) for _ in range(CALLERS)]

    def start(self) -> None:
        """Starts calling."""
        for thread in self._threads:
            thread.start()

    def release(self, count: int) -> None:
        """Lets as many more orders start as have ended."""
        self._window.release(count)

    @property
    def are_done(self) -> bool:
        """Whether every order was accepted. Raises BenchError."""
        if self._problems:
            raise BenchError(self._problems[0])
        return not any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Starts no more calls."""
        self.is_stopped = True
        self._window.release(CALLERS)

    def join(self) -> None:
        """Waits for responses that arrive after the event of their order."""
        for thread in self._threads:
            thread.join(_TIMEOUT_SECONDS)

    def _run(self) -> None:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=_TIMEOUT_SECONDS
        )
        try:
            while (order_no := self._next_order()) is not None:
                self._window.acquire()
                if self.is_stopped:
                    return
                self._request_collection(connection, order_no)
        except (OSError, http.client.HTTPException) as error:
            self._problems.append(f"a call failed: {type(error).__name__}")
        except BenchError as error:
            self._problems.append(str(error))
        finally:
            connection.close()

    def _next_order(self) -> str | None:
        with self._lock:
            return next(self._orders, None)

    def _request_collection(
        self, connection: http.client.HTTPConnection, order_no: str
    ) -> None:
        """Calls until the order is accepted, with growing pauses."""
        for number in range(MAX_TRIES):
            called_at = time.monotonic()
            connection.request(
                "POST", f"/v1/orders/{order_no}/collection", headers=_HEADERS
            )
            response = connection.getresponse()
            response.read()
            if response.status in _ACCEPTED:
                with self._lock:
                    self.accepted[order_no] = called_at
                return
            with self._lock:
                self.retried_calls += 1
            time.sleep(0.1 * 2**number)
        raise BenchError(
            f"status {response.status} for an order, after {MAX_TRIES} tries"
        )
