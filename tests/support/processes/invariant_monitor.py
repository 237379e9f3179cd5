"""Checks the service's invariants while workers are killed and frozen.

It reads each event as it appears and looks for the objects that the event names, which
must be stored before it. It reads all rows repeatedly: a final state must not change.
"""

import json
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from support.leaks.leak_scan import find_leaks
from support.processes.raw_stores import FINAL_STATES, RawObject, RawOrder, RawStores
from support.processes.service_rig import ServiceRig

TYPE = "kycourier.bank_card.{}.v1"
INTERVAL_SECONDS = 0.05


class InvariantMonitor:
    """Reads on a thread of its own within the block; `broken` lists violations."""

    def __init__(
        self, service_rig: ServiceRig, stores: RawStores, *, rows_every: int = 10
    ) -> None:
        """Read the rows at each `rows_every`-th reading of the events."""
        self._service_rig, self._stores, self._rows_every = (
            service_rig,
            stores,
            rows_every,
        )
        self._path = service_rig.folder / "events.jsonl"
        self._read, self._stop = 0, threading.Event()
        self._thread = threading.Thread(target=self._monitor, daemon=True)
        self._lines: dict[tuple[str, str], bytes] = {}
        self._objects: dict[str, RawObject] = {}
        self._marks: dict[str, object] = {}
        self._ends: dict[str, RawOrder] = {}
        self.torn: list[bytes] = []
        self.broken: list[str] = []
        self.deliveries: Counter[str] = Counter()

    def __enter__(self) -> "InvariantMonitor":  # noqa: PYI034 - Self came with 3.11
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def check(self, expected: Mapping[str, str], *, tokens: int | None = None) -> None:
        """Assert after the block that every order ended as expected without a leak."""
        self._read_events()
        self.read_rows()
        rows = self._stores.rows()
        ends = {order: rows[order].state for order in rows}
        self._hold(ends == expected, f"I1: {_differing(ends, expected)}")
        for order, row in rows.items():
            self._check_events(order, row)
        self._check_objects(rows)
        self._check_platform(tokens)
        leaks = find_leaks(self._secrets(), {"log": self._service_rig.log.read_bytes()})
        self._hold(not leaks, f"I5: {leaks[:3]}")
        whole = b"".join(self._lines.values())
        self._hold(all(part in whole for part in self.torn), "a line is no event's")
        assert self.broken == []

    def _check_events(self, order: str, row: RawOrder) -> None:
        sent = [TYPE.format(row.state)]
        seen = {kind: line for (of, kind), line in self._lines.items() if of == order}
        self._hold(list(seen) == sent, f"I2: {order} has events {sorted(seen)}")
        stored = [event["body"].encode() for event in row.events]
        self._hold(
            list(seen.values()) == stored, f"I2: {order} differs from its outbox"
        )
        self._hold(all(event["sent"] for event in row.events), f"I1: {order} is unsent")

    def _check_objects(self, rows: Mapping[str, RawOrder]) -> None:
        """Check that named objects are unchanged, and others in a retried folder."""
        marks = self._stores.marks()
        for key, first in self._objects.items():
            self._hold(marks.get(key) == first.mark, f"I4: {key} was replaced")
        folders = {row.folder for row in rows.values() if row.attempts > 1}
        left = marks.keys() - self._objects.keys()
        lost = [key for key in left if _folder_of(key) not in folders]
        self._hold(not lost, f"I16: {lost[:3]}")

    def _check_platform(self, tokens: int | None) -> None:
        report = self._service_rig.sandbox.report()
        self._hold(report.overlaps == 0, f"I6: {report.overlaps} refreshes overlapped")
        self._hold(
            report.sign_rejections == 0, f"I7: {report.sign_rejections} stale signs"
        )
        ages = report.superseded_ticket_ages_seconds
        self._hold(max(ages, default=0) <= 60, f"I7: a pair was {max(ages, default=0)}")
        if tokens is not None:
            self._hold(report.token_calls == tokens, f"I6: {report.token_calls} tokens")

    def _secrets(self) -> frozenset[str]:
        return self._service_rig.sandbox.canaries()

    def _monitor(self) -> None:
        rounds = 0
        while not self._stop.wait(INTERVAL_SECONDS):
            self._read_events()
            rounds += 1
            if rounds % self._rows_every == 0:
                self.read_rows()

    def _read_events(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            *lines, rest = file.read().split(b"\n")
            self._read = file.tell() - len(rest)
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:  # a killed writer's; the retry writes the whole line
                self.torn.append(line)
                continue
            self._check_event(event, line)

    def _check_event(self, event: Mapping[str, Any], line: bytes) -> None:
        key = (event["subject"], event["type"])
        first = self._lines.setdefault(key, line)
        self._hold(first == line, f"I2: {key} has two bodies")
        self.deliveries["first" if first is line else "again"] += 1
        for name, sha256 in _named(event).items():
            found = self._stores.find(name)
            self._hold(
                found is not None and found.sha256 == sha256,
                f"I3: {name} is missing at its event",
            )
            if found is not None:
                known = self._objects.setdefault(name, found)
                self._hold(known == found, f"I4: {name}")

    def read_rows(self) -> None:
        """Check that no stored object and no final row has changed."""
        for key, mark in self._stores.marks().items():
            self._hold(self._marks.setdefault(key, mark) == mark, f"I4: {key}")
        for order, row in self._stores.rows().items():
            if row.state not in FINAL_STATES:
                self._hold(order not in self._ends, f"I13: {order} came back")
                continue
            end = self._ends.setdefault(order, row)
            same = (row.state, row.event_ids) == (end.state, end.event_ids)
            self._hold(same, f"I13: {order} was {end.state}, is {row.state}")

    def _hold(self, is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - a condition and its message
        if not is_so:
            self.broken.append(otherwise)


def _named(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the keys and digests of the objects that an event names."""
    data = event["data"]
    things = [*data.get("photos", ()), *filter(None, [data.get("manifest")])]
    return {_key_of(each["uri"]): each["sha256"] for each in things}


def _key_of(uri: str) -> str:
    """Return the key below the evidence prefix: app, date, random part and name."""
    return "/".join(uri.split("/")[-6:])


def _folder_of(key: str) -> str:
    return "/".join(key.split("/")[1:5])


def _differing(found: Mapping[str, str], expected: Mapping[str, str]) -> dict:
    orders = [
        each for each in {**found, **expected} if found.get(each) != expected.get(each)
    ]
    return {each: (found.get(each), expected.get(each)) for each in sorted(orders)[:5]}
