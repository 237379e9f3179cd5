"""Who reads the events as they come, and weighs the workers on the way."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.processes import BenchFailed

MARKS = (0.1, 0.5, 1.0)  # of all orders, when the workers are weighed
STALLED_SECONDS = 120.0
_POLL_SECONDS = 0.005


class Event(Struct, frozen=True):
    """What the run needs of an event."""

    id: str
    type: str
    subject: str
    data: msgspec.Raw


class Weight(Struct, frozen=True, kw_only=True):
    """Resident bytes of each worker when so many orders had ended."""

    ended: int
    workers: Sequence[int]


class Watch:
    """Reads the file of events to its end, again and again."""

    def __init__(self, path: Path, *, total: int) -> None:
        self._path, self._total = path, total
        self._offset = 0
        self.arrived: dict[str, float] = {}
        self.events: dict[str, Event] = {}
        self.lines: Counter[tuple[str, str]] = Counter()

    def follow(
        self,
        *,
        note_ended: Callable[[int], None],
        weigh: Callable[[], Sequence[int]],
        check: Callable[[], object],
        tell: Callable[[str], None],
    ) -> list[Weight]:
        """Read until every order has its event; give the weights at the marks.

        `check` is called on the way. Raises BenchFailed when nothing comes any more.
        """
        weights: list[Weight] = []
        newest = time.monotonic()
        while len(self.arrived) < self._total:
            if new := self._read():
                newest = time.monotonic()
                note_ended(new)
            elif time.monotonic() - newest > STALLED_SECONDS:
                missing = self._total - len(self.arrived)
                raise BenchFailed(f"{missing} orders have no event, and none comes")
            while self._has_reached(len(weights)):
                weights.append(Weight(ended=len(self.arrived), workers=weigh()))
                tell(f"{len(self.arrived)} of {self._total} orders have ended")
            check()
            time.sleep(_POLL_SECONDS)
        return weights

    def _has_reached(self, marks: int) -> bool:
        """Tell whether the next mark is reached after so many."""
        if marks == len(MARKS):
            return False
        return len(self.arrived) >= MARKS[marks] * self._total

    def _read(self) -> int:
        """Read what was appended; give how many orders got their first event."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        now = time.monotonic()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        return sum(self._take(line, now) for line in whole.splitlines())

    def _take(self, line: bytes, now: float) -> bool:
        event = msgspec.json.decode(line, type=Event)
        self.lines[event.subject, event.id] += 1
        is_new = event.subject not in self.arrived
        if is_new:
            self.arrived[event.subject] = now
            self.events[event.subject] = event
        return is_new
