"""How the delivery of an order's events stands, and when it is tried again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from kycourier.core.retry import after_failure
from kycourier.core.timing import (
    WEBHOOK_JITTER,
    WEBHOOK_LATE_TRIES,
    WEBHOOK_SCHEDULE,
)

if TYPE_CHECKING:  # the row imports this module
    from kycourier.core.orders.record import OrderRecord

PENDING, DELIVERED, UNDELIVERABLE = "pending", "delivered", "undeliverable"


class Delivery(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The attempts to send the events that were unsent last.

    `problem` is the word of the last attempt, None if it succeeded: a cause, or
    `http_` and a status.
    """

    at: datetime
    attempts: int = 1
    problem: str | None = None


def count_attempt(
    last: Delivery | None, *, problem: str | None, now: datetime
) -> Delivery:
    """Returns the delivery after one more attempt."""
    attempts = last.attempts if last else 0
    return Delivery(at=now, attempts=attempts + 1, problem=problem)


def webhook_delay(
    attempts: int, *, draw: float, retry_after: timedelta | None
) -> timedelta | None:
    """Returns the delay before a webhook is sent again; None if it is given up.

    Args:
        attempts: How many attempts have failed.
        draw: Uniform in [0, 1), for the jitter.
        retry_after: What the receiver asked for; the delay is not shorter.
    """
    if attempts >= len(WEBHOOK_SCHEDULE) + WEBHOOK_LATE_TRIES:
        return None
    delay = WEBHOOK_SCHEDULE[min(attempts, len(WEBHOOK_SCHEDULE)) - 1]
    jittered: timedelta = delay * (1 + WEBHOOK_JITTER * (2 * draw - 1))
    return max(jittered, retry_after or jittered)


def sink_delay(attempts: int, *, draw: float) -> timedelta:
    """Returns the delay before another sink than a webhook gets the events again."""
    return after_failure(attempts - 1, draw=draw)


def describe_delivery(record: "OrderRecord") -> Mapping[str, object] | None:
    """Builds the delivery as the API shows it; None while there is no event."""
    if not record.events:
        return None
    last, newest = record.delivery, record.events[-1]
    if record.unsent:
        state = PENDING
    else:
        state = UNDELIVERABLE if newest.undeliverable else DELIVERED
    return {
        "state": state,
        "attempts": last.attempts if last else int(newest.sent),
        "problem": last.problem if last else None,
        "at": last.at if last else None,
        "due_at": record.due_at if state == PENDING and last else None,
    }
