"""Whether anything was lost: every accepted order against its event, row and photos."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Struct

from bench.environments import APP_ID
from bench.load.orders import has_photos
from bench.load.watch import Event, Watch
from kycourier.adapters import places
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.system import SystemClock
from kycourier.core.models import OrderKey
from kycourier.core.order_record import OrderRecord, State
from kycourier.ports import OrderStore
from kycourier.setting_forms import Place

SENT_SECONDS = 60.0  # by which the sweep has marked what was sent
PHOTOS = 3
_MOST_TOLD = 5


class _Photo(Struct, frozen=True):
    uri: str
    sha256: str


class _Photos(Struct, frozen=True):
    photos: tuple[_Photo, ...] = ()


class Proof(Struct, frozen=True, kw_only=True):
    """What was found; `problems` are sentences, none where nothing was lost."""

    states: dict[str, int]
    repeated_lines: int
    photos: int
    problems: list[str]


def prove(accepted: Iterable[str], watch: Watch, *, redis: str) -> Proof:
    """Check every order that was accepted, and that there are no others."""
    around = Surroundings(clock=SystemClock(), environ={})
    orders = places.open_state(Place("redis", redis), around).orders
    numbers = set(accepted)
    problems = [
        "an event of an order nobody named" for _ in watch.arrived.keys() - numbers
    ]
    states: Counter[str] = Counter()
    photos = 0
    ids = Counter(subject for subject, _ in watch.lines)
    ends_at = time.monotonic() + SENT_SECONDS
    for number in numbers:
        event = watch.events.get(number)
        record = _load_sent(orders, number, ends_at)
        if ids[number] != 1 or event is None:
            problems.append(f"{number} has {ids[number]} events")
        elif record is None:
            problems.append(f"{number} has no row")
        else:
            states[record.state.value] += 1
            problems += [f"{number} {each}" for each in _compare(record, event)]
            found, lost = _check_photos(event)
            photos += found
            problems += [f"{number} {each}" for each in lost]
    return Proof(
        states=dict(states),
        repeated_lines=sum(watch.lines.values()) - len(watch.lines),
        photos=photos,
        problems=problems[:_MOST_TOLD],
    )


def _load_sent(orders: OrderStore, number: str, ends_at: float) -> OrderRecord | None:
    """Read a row, again while its event is out and not yet marked as sent."""
    while True:
        record = orders.load(OrderKey(APP_ID, number))
        if record is None or not record.unsent or time.monotonic() > ends_at:
            return record
        time.sleep(0.1)


def _compare(record: OrderRecord, event: Event) -> Iterator[str]:
    expected = State.COLLECTED if has_photos(record.order_no) else State.REJECTED
    if record.state is not expected:
        yield f"is {record.state.value}"
    if [each.id for each in record.events] != [event.id]:
        yield "has another event in its row"
    if record.unsent:
        yield "is not marked as sent"
    if event.type != f"kycourier.ocr.{expected.value}.v1":
        yield f"has an event {event.type}"


def _check_photos(event: Event) -> tuple[int, list[str]]:
    """Read the photos back; give how many are as the event says, and what is not."""
    named = msgspec.json.decode(event.data, type=_Photos).photos
    wanted = PHOTOS if has_photos(event.subject) else 0
    problems = [] if len(named) == wanted else [f"names {len(named)} photos"]
    for photo in named:
        path = Path(unquote(urlsplit(photo.uri).path))
        if hashlib.sha256(path.read_bytes()).hexdigest() != photo.sha256:
            problems.append("has a photo with other bytes")
    return len(named), problems
