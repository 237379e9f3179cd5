"""Bugs in an order's row and outbox: loss, second effects, no way back from final."""

from datetime import timedelta

from msgspec.structs import replace

from kycourier.core.orders import follow_up
from kycourier.core.orders.record import OrderState
from kycourier.core.orders.state_machine import Urgency
from mutants.catalogue import edits, replaces

ORDER = "tests/core/orders/test_state_machine.py"
DECISION = "tests/core/orders/test_decisions.py"
COLLECT = "tests/usecases/test_collect_result.py"
SWEEP = "tests/usecases/test_sweep_orders.py"
RESEND = "tests/usecases/test_resend_event.py"


@replaces("kycourier.core.orders.state_machine:claim", "I11", ORDER)
def new_owner_keeps_the_fence(claim, record, **options):
    """A new owner has the fence of the one before it."""
    return replace(claim(record, **options), fence=record.fence)


@replaces("kycourier.core.orders.state_machine:may_claim", "I2", ORDER)
def running_lease_is_ignored(may_claim, record, **options):
    """An order that another worker collects is collected beside it."""
    return record.state is OrderState.COLLECTING or may_claim(record, **options)


@replaces("kycourier.core.orders.state_machine:may_claim", "I13", ORDER)
def final_order_is_claimed(may_claim, record, *, urgency, **options):
    """A caller who waits has a final order collected again."""
    if record.state.is_final and urgency is Urgency.NOW:
        return True
    return may_claim(record, urgency=urgency, **options)


@replaces("kycourier.core.orders.follow_up:publish_later", "I2", SWEEP)
def event_gets_a_new_id_for_the_resend(publish_later, record, **options):
    """An event that the sink refused is sent again under another id."""
    events = [
        replace(event, id=event.id[::-1], body=event.body.replace(event.id, "again"))
        for event in record.events
    ]
    return replace(publish_later(record, **options), events=tuple(events))


@replaces(
    "kycourier.usecases.attempt_end:AttemptEnd._yield_to_new_owner", "I2", COLLECT
)
def stale_owner_publishes(yield_to_owner, self, changed, claimed):
    """An owner whose commit was refused publishes its event."""
    yield_to_owner(self, changed, claimed)
    return changed


@replaces(
    "kycourier.usecases.publish_events:EventPublisher._publish_later", "I1", COLLECT
)
def refused_event_is_marked_sent(_publish_later, self, record, *_):
    """An event that the sink refused is marked as sent."""
    sent = follow_up.mark_sent(record, now=self._orders.now())
    return self._commit(record, sent)


@replaces("kycourier.core.orders.follow_up:mark_event_sent", "I1", RESEND)
def resent_event_marks_the_others_too(_mark_event_sent, record, _, *, now):
    """An event that waits is marked as sent because another one was sent again."""
    return follow_up.mark_sent(record, now=now)


@replaces("kycourier.usecases.resend_event:EventResender._mark_sent", "I11", RESEND)
def resend_changes_the_row_of_a_running_attempt(mark_sent, self, record, event):
    """The attempt that holds the order loses its commit."""
    running = record.state is OrderState.COLLECTING
    state = OrderState.WAITING if running else record.state
    mark_sent(self, replace(record, state=state), event)


@replaces("kycourier.core.orders.state_machine:retry_later", "I1", ORDER)
def waiting_order_has_no_due_time(retry_later, record, **options):
    """No sweep finds an order that waits."""
    return replace(retry_later(record, **options), due_at=None)


@replaces("kycourier.usecases.sweep_orders:_Listing.page", "I1", SWEEP)
def sweep_ends_after_one_page(page, self, app_id):
    """A sweep leaves out everything after its first page."""
    records = page(self, app_id)
    self.is_done = True
    return records


@replaces("kycourier.core.orders.decisions:decide", "I1", DECISION)
def deadline_is_ignored(decide, record, reply, **options):
    """An order that never becomes ready waits for ever."""
    later = record.deadline_at + timedelta(days=365)
    return decide(replace(record, deadline_at=later), reply, **options)


@edits("kycourier.core.orders.decisions:PARK_GRACE", "I17", DECISION)
def failing_order_is_never_parked(grace):
    """An order that fails past its deadline is never parked with its cause."""
    return grace * 10_000
