"""Reads events while they are published, and measures the memory of the workers."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.errors import BenchError

MARKS = (0.1, 0.5, 1.0)  # shares of the orders after which memory is measured
STALLED_SECONDS = 120.0
_POLL_SECONDS = 0.005


class Event(Struct, frozen=True):
    """The members of an event that the run needs."""

    id: str
    type: str
    subject: str
    data: msgspec.Raw


class MemorySample(Struct, frozen=True, kw_only=True):
    """Resident bytes of each worker after `ended` orders."""

    ended: int
    workers: Sequence[int]


class EventMonitor:
    """Follows the file of events while it grows."""

    def __init__(self, path: Path, *, total: int) -> None:
        self._path, self._total = path, total
        self._offset = 0
        self.arrived: dict[str, float] = {}
        self.events: dict[str, Event] = {}
        self.lines: Counter[tuple[str, str]] = Counter()

    def follow(
        self,
        *,
        on_ended: Callable[[int], None],
        measure: Callable[[], Sequence[int]],
        check: Callable[[], object],
        report: Callable[[str], None],
    ) -> list[MemorySample]:
        """Reads until every order has an event; returns the memory at each mark.

        Args:
            on_ended: called with the number of orders that have just ended.
            measure: returns the resident bytes of each worker.
            check: called regularly; raises to end the run.
            report: called with a line of progress.

        Raises:
            BenchError: no event arrives any more.
        """
        samples: list[MemorySample] = []
        last_event_at = time.monotonic()
        while len(self.arrived) < self._total:
            if new := self._read():
                last_event_at = time.monotonic()
                on_ended(new)
            elif time.monotonic() - last_event_at > STALLED_SECONDS:
                missing = self._total - len(self.arrived)
                raise BenchError(f"{missing} orders have no event, and none arrives")
            while self._has_reached(len(samples)):
                samples.append(MemorySample(ended=len(self.arrived), workers=measure()))
                report(f"{len(self.arrived)} of {self._total} orders have ended")
            check()
            time.sleep(_POLL_SECONDS)
        return samples

    def _has_reached(self, marks: int) -> bool:
        """Returns whether the mark after so many is reached."""
        if marks == len(MARKS):
            return False
        return len(self.arrived) >= MARKS[marks] * self._total

    def _read(self) -> int:
        """Reads what was appended; returns the number of orders with a first event."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        now = time.monotonic()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        return sum(self._add(line, now) for line in whole.splitlines())

    def _add(self, line: bytes, now: float) -> bool:
        event = msgspec.json.decode(line, type=Event)
        self.lines[event.subject, event.id] += 1
        is_new = event.subject not in self.arrived
        if is_new:
            self.arrived[event.subject] = now
            self.events[event.subject] = event
        return is_new
