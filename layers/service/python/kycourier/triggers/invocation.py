"""One invocation of a function: its time limit, and which errors may leave it."""

import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

from kycourier.core.errors import HandlerFailedError, OutOfTimeError
from kycourier.core.redaction import error_fields
from kycourier.core.timing import (
    INVOCATION_MAX_SECONDS,
    RESPONSE_RESERVE_SECONDS,
    RUN_MIN_SECONDS,
    UNKNOWN_LIMIT_SECONDS,
)
from kycourier.logs import PowertoolsEventLog
from kycourier.ports import Clock
from kycourier.usecases.deadlines import Deadline

T = TypeVar("T")


class Invocation:
    """Runs a handler once, flushes its metrics, and raises code-only errors."""

    def __init__(
        self, name: str, *, clock: Clock, event_log: PowertoolsEventLog
    ) -> None:
        self._name, self._clock, self._event_log = name, clock, event_log
        self._deadline: Deadline | None = None

    def seconds_left(self) -> float:
        """Returns the running invocation's time left; infinite between two."""
        running = self._deadline
        return math.inf if running is None else running.seconds()

    def run(self, work: Callable[[Deadline], T], context: object) -> T:
        """Runs `work` within the context's time limit. Raises HandlerFailedError."""
        seconds = parse_remaining_seconds(context)
        self._event_log.begin(parse_request_id(context))
        deadline = Deadline(self._clock.monotonic, seconds=seconds)
        self._deadline = deadline
        try:
            return _run_in_time(work, deadline)
        except Exception as error:  # noqa: BLE001 - no foreign error leaves a handler
            fields = error_fields(error)
        finally:
            self._deadline = None
            self._flush()
        self._event_log.emit("handler_failed", function=self._name, **fields)
        self._flush()
        raise HandlerFailedError(fields["error"])

    def _flush(self) -> None:
        """Writes the metrics; if that fails, the work still counts."""
        with suppress(OSError, ValueError):
            self._event_log.flush()


def _run_in_time(work: Callable[[Deadline], T], deadline: Deadline) -> T:
    """Runs `work` on a thread, which is abandoned if it hangs.

    Name resolution, file locks and some reads know no deadline of their own. Raises
    what `work` raises, and OutOfTimeError.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work(deadline))
        except BaseException as error:  # noqa: BLE001 - raised by the waiting thread
            done.set_exception(error)

    # its log lines keep this invocation's request id, also after a next one began
    context = copy_context()
    Thread(target=context.run, args=(run,), name="invocation", daemon=True).start()
    timeout = max(deadline.seconds() - RESPONSE_RESERVE_SECONDS, RUN_MIN_SECONDS)
    wait([done], timeout=timeout)
    if not done.done():
        raise OutOfTimeError("hangs")
    return done.result()


def parse_remaining_seconds(context: object) -> float:
    """Returns the invocation's time limit.

    Lambda's context has a method for it; SCF's is a dict with the limit, which counts
    from the invocation's start. Where it is missing or implausible: a minute, less the
    lease's grace.
    """
    if isinstance(context, Mapping):
        limit = context.get("time_limit_in_ms")
    else:
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        limit = remaining() if callable(remaining) else None
    if isinstance(limit, bool) or not isinstance(limit, int | float):
        return UNKNOWN_LIMIT_SECONDS
    if not limit >= 0:  # NaN is not
        return UNKNOWN_LIMIT_SECONDS
    return min(limit, INVOCATION_MAX_SECONDS * 1000) / 1000


def parse_request_id(context: object) -> str | None:
    """Returns the platform's id of this invocation, if it has one."""
    if isinstance(context, Mapping):
        request_id = context.get("request_id")
    else:
        request_id = getattr(context, "aws_request_id", None)
    return request_id if isinstance(request_id, str) and request_id else None
