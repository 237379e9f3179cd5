"""What the tests of the stores keep in them: one app's orders, lease and tickets."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from canaries import TICKET, TOKEN
from fakes import START
from kycourier.core import order as rules
from kycourier.core.brake import Brake
from kycourier.core.hidden import Secret
from kycourier.core.models import Document, OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord, OutboxEvent
from kycourier.core.order_record import State as Stage
from kycourier.core.ticket import TicketPair, refresh_lease
from kycourier.ports import Claim, OrderStore, State

APP = "SANDBOX1"
EVENT = OutboxEvent(id="e1", type="kycourier.ocr.collected.v1", body='{"id":"e1"}')


def draft(order_no: str = "order1", **changes: object) -> OrderRecord:
    made = rules.draft(
        OrderKey(APP, order_no),
        document=Document.BANK_CARD,
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
    return rules.settle(
        record, state=Stage.COLLECTED, reason=None, event=event, now=now
    )


def pair(
    generation: int = 1, *, token: str = TOKEN, ticket: str = TICKET
) -> TicketPair:
    return TicketPair(
        generation=generation,
        obtained_at=START,
        expires_in=timedelta(hours=1),
        token=Secret(token),
        ticket=Secret(ticket),
    )


def use_everything(state: State) -> None:
    """Call every verb of every store, once at least."""
    lease = state.leases.acquire(refresh_lease(APP), owner="one", seconds=15)
    state.tickets.save(APP, pair(), expected_generation=0, lease=lease)
    state.tickets.load(APP)
    state.leases.release(refresh_lease(APP), lease=lease)
    state.orders.register(draft("order2"))
    claimed = claim(state.orders).record
    done = settled(claimed, now=state.orders.now())
    state.orders.commit(done, expected=claimed)
    state.orders.load(done.key)
    state.orders.due(APP, limit=2)
    state.orders.unsent(APP, limit=2)
    state.orders.record_poison(APP, source="queue", problem="malformed_json")
    state.brakes.trip(APP, Brake(trips=1, version=1), expected_version=0)
    state.brakes.load(APP)
    state.brakes.release(APP)
