"""Each event is found once, however its order ends; and the newest are the newest."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from kycourier.core.errors import NewerSchemaError, StoreUnavailableError
from kycourier.core.orders.record import OrderState
from kycourier_devkit.events.follower import EventFollower
from kycourier_devkit.events.rendering import event_line
from kycourier_devkit.events.selection import EventFilter
from kycourier_devkit.events.stored import EventRows, StoredEvent
from support.fakes import START, FakeClock
from support.sample_records import EVENT, draft, settled

HOUR = timedelta(hours=1)


class ListedRows(EventRows):
    """Rows in a dictionary; it counts those that were read."""

    def __init__(self):
        self.clock, self.records, self.reads = FakeClock(), {}, 0
        self.horizon, self.fails_at = timedelta(hours=49), None
        self.newer = set()

    def now(self):
        return self.clock.now()

    def get(self, order_no):
        self.reads += 1
        if self.reads == self.fails_at:
            raise StoreUnavailableError
        if order_no in self.newer:
            raise NewerSchemaError
        return self.records.get(order_no)

    def registered(self, *, since=None, until=None, state=None):
        newest = sorted(self.records.values(), key=lambda row: row.registered_at)
        for row in reversed(newest):
            if (
                (since is None or row.registered_at >= since)
                and (until is None or row.registered_at < until)
                and (state is None or row.state is state)
            ):
                self.reads += 1
                yield row

    def register(self, *numbers, ago=timedelta(0)):
        at = self.now() - ago
        for number in numbers:
            self.records[number] = draft(number, registered_at=at, due_at=None)

    def change(self, number, **changes):
        self.records[number] = replace(self.records[number], **changes)

    def end(self, *numbers, state=OrderState.COLLECTED):
        for number in numbers:
            row, outcome = self.records[number], state.value
            event = replace(
                EVENT,
                id=f"{number}-{outcome}",
                type=f"kycourier.bank_card.{outcome}.v1",
                created_at=self.now(),
            )
            ended = settled(row, event=event, now=self.now())
            self.records[number] = replace(ended, state=state)


@pytest.fixture
def rows():
    return ListedRows()


def poll(follower, *, after=0.5):
    follower._rows.clock.sleep(after)
    return [stored.event.id for stored in follower.poll()]


def test_row_of_a_newer_release_delays_no_other(rows):
    rows.register("newer", "other")
    follower = EventFollower(rows, since=START)
    poll(follower)
    rows.clock.sleep(60)  # both are found by their registration no more
    poll(follower)
    rows.newer.add("newer")
    rows.end("other")

    assert poll(follower) == ["other-collected"]


def test_event_is_found_once_whenever_its_order_was_registered(rows):
    rows.register("old", ago=40 * HOUR)
    rows.register("older", ago=900 * HOUR)  # reopened long after its registration
    rows.register("before")
    rows.end("before")
    rows.clock.sleep(1)
    follower = EventFollower(rows, since=rows.now())
    assert poll(follower) == []
    rows.register("new")
    rows.end("new", "old")
    rows.clock.sleep(1)
    rows.end("older")
    assert poll(follower) == ["new-collected", "old-collected", "older-collected"]
    assert poll(follower) == []


def test_earlier_events_are_found_from_the_given_time_on(rows):
    rows.register("A", "B", ago=3 * HOUR)
    rows.end("A")
    rows.clock.sleep(3600)
    since = rows.now()
    rows.end("B")
    rows.clock.sleep(7200)
    assert poll(EventFollower(rows, since=since)) == ["B-collected"]


def test_reopened_order_brings_its_second_event(rows):
    rows.register("A", ago=30 * HOUR)
    follower = EventFollower(rows, since=rows.now())
    poll(follower)
    rows.end("A", state=OrderState.PARKED)
    assert poll(follower) == ["A-parked"]
    rows.clock.sleep(86_400)
    rows.change("A", state=OrderState.WAITING)
    rows.end("A")  # reopened and collected between two polls
    assert poll(follower) == ["A-collected"]


def test_many_open_orders_are_read_in_turn_and_due_ones_first(rows):
    numbers = [f"W{number}" for number in range(120)]
    rows.register(*numbers, ago=HOUR)
    for number in numbers:
        due_at = rows.now() + HOUR
        rows.change(number, state=OrderState.WAITING, due_at=due_at)
    rows.change(numbers[-1], due_at=rows.now())
    follower = EventFollower(rows, since=rows.now())
    poll(follower)
    rows.end(*numbers)
    found, before = [], rows.reads
    first = poll(follower)
    assert f"{numbers[-1]}-collected" in first
    assert rows.reads - before == len(first) == 50
    found += first + poll(follower) + poll(follower)
    assert sorted(found) == sorted(f"{number}-collected" for number in numbers)


def test_failing_store_loses_no_event(rows):
    rows.register("A", "B", "C", ago=HOUR)
    follower = EventFollower(rows, since=rows.now())
    poll(follower)
    rows.end("A", "B", "C")
    rows.fails_at = rows.reads + 2
    with pytest.raises(StoreUnavailableError):
        poll(follower)
    assert sorted(poll(follower)) == ["A-collected", "B-collected", "C-collected"]


def test_order_that_is_gone_is_no_longer_read(rows):
    rows.register("A", ago=HOUR)
    follower = EventFollower(rows, since=rows.now())
    poll(follower)
    del rows.records["A"]
    assert poll(follower) == []
    before = rows.reads
    assert poll(follower) == []
    assert rows.reads == before


def test_newest_events_are_listed_although_their_orders_are_old(rows):
    for number in range(6):
        rows.register(f"A{number}", ago=(45 - 9 * number) * HOUR)
    for number in (5, 0, 2, 1, 4, 3):  # the order in which they end
        rows.clock.sleep(1)
        rows.end(f"A{number}")
    found = rows.newest(EventFilter(), limit=3)
    assert [each.record.order_no for each in found] == ["A3", "A4", "A1"]
    later = EventFilter(until=START + timedelta(seconds=3))
    assert [each.record.order_no for each in rows.all(later)] == ["A5", "A0"]


def test_listing_stops_where_every_other_event_is_older(rows):
    rows.register("old", ago=500 * HOUR)
    rows.end("old")
    rows.clock.sleep(3600 * 500)
    rows.register("A")
    rows.end("A")
    [found] = rows.newest(EventFilter(), limit=1)
    assert (found.record.order_no, rows.reads) == ("A", 2)


def test_event_of_an_earlier_release_shows_when_its_row_changed():
    row = replace(settled(draft("A1")), updated_at=START + HOUR)
    line = event_line(StoredEvent(row, EVENT))
    assert line.split() == ["01-01", "01:00:00", "bank_card.collected", "A1"]
