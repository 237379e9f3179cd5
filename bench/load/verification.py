"""Verifies every accepted order: its event, its row and its photos."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Struct

from bench.environment.function_settings import APP_ID
from bench.load.event_monitor import Event, EventMonitor
from bench.load.orders import has_photos
from kycourier.adapters import registry
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.system import SystemClock
from kycourier.core.orders.record import OrderKey, OrderRecord, OrderState
from kycourier.ports import OrderStore
from kycourier.settings.resource_url import ResourceUrl

SENT_SECONDS = 60.0  # until the sweep has marked all events as sent
PHOTOS = 3
_MAX_PROBLEMS = 5


class _Photo(Struct, frozen=True):
    uri: str
    sha256: str


class _Photos(Struct, frozen=True):
    photos: tuple[_Photo, ...] = ()


class Verification(Struct, frozen=True, kw_only=True):
    """Counts, and the first problems as sentences."""

    states: dict[str, int]
    repeated_lines: int
    photos: int
    problems: list[str]


def verify(
    accepted: Iterable[str], monitor: EventMonitor, *, redis: str
) -> Verification:
    """Checks every accepted order, and that there are no others."""
    context = AdapterContext(clock=SystemClock(), environ={})
    orders = registry.open_stores(ResourceUrl("redis", redis), context).orders
    numbers = set(accepted)
    problems = [
        "an event of an order that was not accepted"
        for _ in monitor.arrived.keys() - numbers
    ]
    states: Counter[str] = Counter()
    photos = 0
    ids = Counter(subject for subject, _ in monitor.lines)
    ends_at = time.monotonic() + SENT_SECONDS
    for number in numbers:
        event = monitor.events.get(number)
        record = _load_sent(orders, number, ends_at)
        if ids[number] != 1 or event is None:
            problems.append(f"{number} has {ids[number]} events")
        elif record is None:
            problems.append(f"{number} has no row")
        else:
            states[record.state.value] += 1
            problems += [f"{number} {each}" for each in _compare(record, event)]
            count, wrong = check_photos(event)
            photos += count
            problems += [f"{number} {each}" for each in wrong]
    return Verification(
        states=dict(states),
        repeated_lines=sum(monitor.lines.values()) - len(monitor.lines),
        photos=photos,
        problems=problems[:_MAX_PROBLEMS],
    )


def _load_sent(orders: OrderStore, number: str, ends_at: float) -> OrderRecord | None:
    """Reads a row until its event is marked as sent, or the time is over."""
    while True:
        record = orders.get(OrderKey(APP_ID, number))
        if record is None or not record.unsent or time.monotonic() > ends_at:
            return record
        time.sleep(0.1)


def _compare(record: OrderRecord, event: Event) -> Iterator[str]:
    expected = (
        OrderState.COLLECTED if has_photos(record.order_no) else OrderState.REJECTED
    )
    if record.state is not expected:
        yield f"is {record.state.value}"
    if [each.id for each in record.events] != [event.id]:
        yield "has another event in its row"
    if record.unsent:
        yield "is not marked as sent"
    if event.type != f"kycourier.bank_card.{expected.value}.v1":
        yield f"has an event {event.type}"


def check_photos(event: Event) -> tuple[int, list[str]]:
    """Reads an event's photos; returns their number, and what is wrong with them."""
    photos = msgspec.json.decode(event.data, type=_Photos).photos
    expected = PHOTOS if has_photos(event.subject) else 0
    problems = [] if len(photos) == expected else [f"has {len(photos)} photos"]
    for photo in photos:
        path = Path(unquote(urlsplit(photo.uri).path))
        if hashlib.sha256(path.read_bytes()).hexdigest() != photo.sha256:
            problems.append("has a photo with other bytes")
    return len(photos), problems
