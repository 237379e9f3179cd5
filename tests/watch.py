"""Who looks on while workers are killed and frozen, and says what should not have been.

Every event is read as it comes, and what it names is looked for at once: evidence comes
first. Rows are read again and again: what is final stays.
"""

import json
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from houses import House
from leak_scan import find_leaks
from outside import FINAL, Row, Stored, Stores

TYPE = "kycourier.ocr.{}.v1"
LOOKS_EVERY = 0.05


class Watch:
    """Reads on a thread of its own within the block; `broken` is what it found."""

    def __init__(self, house: House, stores: Stores, *, rows_every: int = 10) -> None:
        """`rows_every`: how many looks at the events go by for one at the rows."""
        self._house, self._stores, self._rows_every = house, stores, rows_every
        self._path = house.folder / "events.jsonl"
        self._read, self._stop = 0, threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._lines: dict[tuple[str, str], bytes] = {}
        self._objects: dict[str, Stored] = {}
        self._marks: dict[str, object] = {}
        self._ends: dict[str, Row] = {}
        self.torn: list[bytes] = []
        self.broken: list[str] = []
        self.deliveries: Counter[str] = Counter()

    def __enter__(self) -> "Watch":  # noqa: PYI034 - Self came with 3.11
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def judge(self, expected: Mapping[str, str], *, tokens: int | None = None) -> None:
        """Hold, after the block, that every order ended as expected, and silently."""
        self._look_at_events()
        self.look_at_rows()
        rows = self._stores.rows()
        ends = {order: rows[order].state for order in rows}
        self._hold(ends == expected, f"I1: {_differing(ends, expected)}")
        for order, row in rows.items():
            self._judge_events(order, row)
        self._judge_objects(rows)
        self._judge_platform(tokens)
        leaks = find_leaks(self._secrets(), {"log": self._house.log.read_bytes()})
        self._hold(not leaks, f"I5: {leaks[:3]}")
        whole = b"".join(self._lines.values())
        self._hold(all(part in whole for part in self.torn), "a line is no event's")
        assert self.broken == []

    def _judge_events(self, order: str, row: Row) -> None:
        sent = [TYPE.format(row.state)]
        told = {kind: line for (of, kind), line in self._lines.items() if of == order}
        self._hold(list(told) == sent, f"I2: {order} is told as {sorted(told)}")
        ours = [event["body"].encode() for event in row.events]
        self._hold(list(told.values()) == ours, f"I2: {order} was sent otherwise")
        self._hold(all(event["sent"] for event in row.events), f"I1: {order} is unsent")

    def _judge_objects(self, rows: Mapping[str, Row]) -> None:
        """Hold that all stand as they were told, the rest where a sweep will look."""
        marks = self._stores.marks()
        for key, first in self._objects.items():
            self._hold(marks.get(key) == first.mark, f"I4: {key} was replaced")
        folders = {row.folder for row in rows.values() if row.attempts > 1}
        left = marks.keys() - self._objects.keys()
        lost = [key for key in left if _folder_of(key) not in folders]
        self._hold(not lost, f"I16: {lost[:3]}")

    def _judge_platform(self, tokens: int | None) -> None:
        report = self._house.sandbox.report()
        self._hold(report.overlaps == 0, f"I6: {report.overlaps} refreshes overlapped")
        self._hold(
            report.sign_rejections == 0, f"I7: {report.sign_rejections} stale signs"
        )
        ages = report.superseded_ticket_ages_seconds
        self._hold(max(ages, default=0) <= 60, f"I7: a pair was {max(ages, default=0)}")
        if tokens is not None:
            self._hold(report.token_calls == tokens, f"I6: {report.token_calls} tokens")

    def _secrets(self) -> frozenset[str]:
        return self._house.sandbox.canaries()

    def _look_on(self) -> None:
        looks = 0
        while not self._stop.wait(LOOKS_EVERY):
            self._look_at_events()
            looks += 1
            if looks % self._rows_every == 0:
                self.look_at_rows()

    def _look_at_events(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            *lines, rest = file.read().split(b"\n")
            self._read = file.tell() - len(rest)
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:  # a killed writer's: the line is taken whole later
                self.torn.append(line)
                continue
            self._look_at_event(event, line)

    def _look_at_event(self, event: Mapping[str, Any], line: bytes) -> None:
        what = (event["subject"], event["type"])
        first = self._lines.setdefault(what, line)
        self._hold(first == line, f"I2: {what} was told in two ways")
        self.deliveries["first" if first is line else "again"] += 1
        for key, sha256 in _named(event).items():
            found = self._stores.find(key)
            self._hold(
                found is not None and found.sha256 == sha256,
                f"I3: {key} is not there with its event",
            )
            if found is not None:
                self._hold(self._objects.setdefault(key, found) == found, f"I4: {key}")

    def look_at_rows(self) -> None:
        """Look at all rows and objects: what is final, and what lies there, stays."""
        for key, mark in self._stores.marks().items():
            self._hold(self._marks.setdefault(key, mark) == mark, f"I4: {key}")
        for order, row in self._stores.rows().items():
            if row.state not in FINAL:
                self._hold(order not in self._ends, f"I13: {order} came back")
                continue
            end = self._ends.setdefault(order, row)
            same = (row.state, row.event_ids) == (end.state, end.event_ids)
            self._hold(same, f"I13: {order} was {end.state}, is {row.state}")

    def _hold(self, is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - a fact and its name
        if not is_so:
            self.broken.append(otherwise)


def _named(event: Mapping[str, Any]) -> dict[str, str]:
    """Give the keys and digests of what an event names."""
    data = event["data"]
    things = [*data.get("photos", ()), *filter(None, [data.get("manifest")])]
    return {_key_of(each["uri"]): each["sha256"] for each in things}


def _key_of(uri: str) -> str:
    """Give the key below the evidence's setting: app, date, random and name."""
    return "/".join(uri.split("/")[-6:])


def _folder_of(key: str) -> str:
    return "/".join(key.split("/")[1:5])


def _differing(found: Mapping[str, str], expected: Mapping[str, str]) -> dict:
    orders = [
        each for each in {**found, **expected} if found.get(each) != expected.get(each)
    ]
    return {each: (found.get(each), expected.get(each)) for each in sorted(orders)[:5]}
