"""Sample orders, events, ticket pairs and recognitions of one app."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from kycourier.core.circuit_breaker import BreakerRecord
from kycourier.core.documents.bank_card import CardFields, PhotoKind
from kycourier.core.documents.bank_card_numbers import CardNumber
from kycourier.core.documents.recognition import Photo, Recognition
from kycourier.core.documents.registry import DEFAULT_DOCUMENT
from kycourier.core.evidence import StoredObject
from kycourier.core.leases import refresh_lease
from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.pages import Claim
from kycourier.core.orders.record import OrderKey, OrderRecord, OrderState, OutboxEvent
from kycourier.core.orders.results import CollectedResult
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.redaction import PhotoBytes, Secret
from kycourier.core.tickets.pair import TicketPair
from kycourier.ports import OrderStore, Stores
from support.fakes import START
from support.leaks.canaries import TICKET, TOKEN

APP = "SANDBOX1"
RESULT = CollectedResult(
    masked={"card": {"number_masked": "411111******1111"}},
    photos=(),
    photos_missing=("original", "cropped", "number"),
    manifest=StoredObject(
        kind="manifest",
        key=f"{APP}/2026/01/01/a/manifest-0011223344556677.json",
        sha256="00" * 32,
        size_bytes=2,
        media_type="application/json",
    ),
    evidence_uri="file:///evidence",
    biz_seq_no=None,
    transaction_time=None,
)
EVENT = OutboxEvent(
    id="e1", type="kycourier.bank_card.collected.v1", body='{"id":"e1"}'
)


def draft(order_no: str = "order1", **changes: object) -> OrderRecord:
    made = rules.draft(
        OrderKey(APP, order_no),
        document=DEFAULT_DOCUMENT,
        now=START,
        ttl=timedelta(hours=48),
        first_sweep=timedelta(0),
    )
    return replace(made, **changes)


def claim(orders: OrderStore, order_no: str = "order1", owner: str = "one") -> Claim:
    return orders.claim(
        draft(order_no),
        owner=owner,
        lease=timedelta(seconds=60),
        urgency=Urgency.NOW,
        folder="2026/01/01/a",
    )


def settled(
    record: OrderRecord, *, now: datetime = START, event: OutboxEvent = EVENT
) -> OrderRecord:
    return rules.finish(
        record,
        state=OrderState.COLLECTED,
        reason=None,
        result=RESULT,
        event=event,
        now=now,
    )


def make_pair(
    generation: int = 1, *, token: str = TOKEN, ticket: str = TICKET
) -> TicketPair:
    return TicketPair(
        generation=generation,
        obtained_at=START,
        expires_in=timedelta(hours=1),
        token=Secret(token),
        ticket=Secret(ticket),
    )


def call_every_store_verb(state: Stores) -> None:
    """Call every verb of every store at least once."""
    lease = state.leases.acquire(refresh_lease(APP), owner="one", seconds=15)
    state.tickets.put(APP, make_pair(), expected_generation=0, lease=lease)
    state.tickets.get(APP)
    state.leases.release(refresh_lease(APP), lease=lease)
    state.orders.register(draft("order2"))
    claimed = claim(state.orders).record
    done = settled(claimed, now=state.orders.now())
    state.orders.commit(done, expected=claimed)
    state.orders.get(done.key)
    state.orders.list_due(APP, limit=2)
    state.orders.list_unsent(APP, limit=2)
    state.orders.record_poison(APP, source="queue", problem="malformed_json")
    state.breakers.open(APP, BreakerRecord(openings=1, version=1), expected_version=0)
    state.breakers.get(APP)
    state.breakers.close(APP)


def make_recognition(*kinds: PhotoKind, order_no: str | None = "order1") -> Recognition:
    photos = tuple(
        Photo(
            kind=kind.value,
            content=PhotoBytes(b"x"),
            sha256="0" * 64,
            size_bytes=1,
            media_type="image/jpeg",
        )
        for kind in kinds
    )
    return Recognition(
        order_no=order_no,
        fields=CardFields(number=CardNumber("4111111111111111")),
        photos=photos,
        photos_missing=tuple(kind.value for kind in PhotoKind if kind not in kinds),
        is_incomplete=PhotoKind.ORIGINAL not in kinds,
    )
