"""One invocation of a function: its time limit, and what may leave it."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from threading import Thread
from typing import TypeVar

from kycourier.adapters.surroundings import endless
from kycourier.core.errors import HandlerFailed, OutOfTime, tell_failure
from kycourier.logs import PowertoolsJournal
from kycourier.ports import Clock
from kycourier.usecases.time_left import TimeLeft

UNSAID_SECONDS = 58.0  # with the lease's grace of 2 s, a lease of 60 s
ANSWER_SECONDS = 0.6  # before the end a handler answers, whatever hangs
LEAST_SECONDS = 0.1
MOST_SECONDS = 900.0  # what both clouds let a function live at most

T = TypeVar("T")


class Invocation:
    """Runs one call of a handler; flushes its metrics; lets code-only errors out."""

    def __init__(self, name: str, *, clock: Clock, journal: PowertoolsJournal) -> None:
        self._name, self._clock, self._journal = name, clock, journal
        self._time_left: TimeLeft | None = None

    def seconds_left(self) -> float:
        """Tell how long the running invocation may still work; endless between two."""
        running = self._time_left
        return endless() if running is None else running.seconds()

    def run(self, work: Callable[[TimeLeft], T], context: object) -> T:
        """Run `work` within the context's time. Raises HandlerFailed alone."""
        seconds = parse_remaining_seconds(context)
        self._journal.begin(parse_request_id(context))
        time_left = TimeLeft(self._clock.monotonic, seconds=seconds)
        self._time_left = time_left
        try:
            return _in_time(work, time_left)
        except Exception as error:  # noqa: BLE001 - the trigger: nothing foreign leaves
            told = tell_failure(error)
        finally:
            self._time_left = None
            self._flush()
        self._journal.note("handler_failed", function=self._name, **told)
        self._flush()
        raise HandlerFailed(told["error"])

    def _flush(self) -> None:
        """Write the metrics; where nobody reads them, the work still counts."""
        with suppress(OSError, ValueError):
            self._journal.flush()


def _in_time(work: Callable[[TimeLeft], T], time_left: TimeLeft) -> T:
    """Give what comes of `work`, done on a thread that is left to itself if it hangs.

    Names are looked up, files locked and answers read by calls that know no deadline.
    Raises what `work` does, and OutOfTime.
    """
    done: Future[T] = Future()

    def do() -> None:
        try:
            done.set_result(work(time_left))
        except BaseException as error:  # noqa: BLE001 - raised by whoever waits
            done.set_exception(error)

    Thread(target=do, name="invocation", daemon=True).start()
    wait([done], timeout=max(time_left.seconds() - ANSWER_SECONDS, LEAST_SECONDS))
    if not done.done():
        raise OutOfTime("hangs")
    return done.result()


def parse_remaining_seconds(context: object) -> float:
    """Read how long the platform lets this invocation live.

    Lambda's context has a method for it, SCF's is a dict with the limit, which counts
    from the invocation's start; where nothing is said, or nothing that can be meant, a
    minute less the lease's grace.
    """
    if isinstance(context, Mapping):
        limit = context.get("time_limit_in_ms")
    else:
        ask = getattr(context, "get_remaining_time_in_millis", None)
        limit = ask() if callable(ask) else None
    if isinstance(limit, bool) or not isinstance(limit, int | float):
        return UNSAID_SECONDS
    if not limit >= 0:  # NaN is not
        return UNSAID_SECONDS
    return min(limit, MOST_SECONDS * 1000) / 1000


def parse_request_id(context: object) -> str | None:
    """Read what the platform calls this invocation, if it says so."""
    if isinstance(context, Mapping):
        told = context.get("request_id")
    else:
        told = getattr(context, "aws_request_id", None)
    return told if isinstance(told, str) and told else None
