"""How an attempt ended, and its effect on each trigger: one total table."""

from enum import Enum, auto

from msgspec import Struct

from kycourier.core.orders.record import OrderState, Reason


class Outcome(Enum):
    """The end of one attempt, or of one message or request."""

    OK = "ok"
    PENDING = "pending"
    RETRY = "retry"
    RENEW = "renew"
    REJECT = "reject"
    EXPIRE = "expire"
    PARK = "park"
    DENY = "deny"
    BAD_REQUEST = "bad_request"


class Delivery(Enum):
    """Whether a queue's record is acknowledged or returned."""

    ACKNOWLEDGE = auto()
    RETURN = auto()


class Effect(Struct, frozen=True):
    """An outcome's HTTP status, queue result and metric."""

    http_status: int
    delivery: Delivery
    metric: str


EFFECTS = {
    Outcome.OK: Effect(200, Delivery.ACKNOWLEDGE, "OrdersCollected"),
    Outcome.PENDING: Effect(202, Delivery.ACKNOWLEDGE, "OrdersPending"),
    Outcome.RETRY: Effect(202, Delivery.ACKNOWLEDGE, "OrdersRetried"),
    Outcome.RENEW: Effect(202, Delivery.ACKNOWLEDGE, "OrdersWithoutTicket"),
    Outcome.REJECT: Effect(200, Delivery.ACKNOWLEDGE, "OrdersRejected"),
    Outcome.EXPIRE: Effect(200, Delivery.ACKNOWLEDGE, "OrdersExpired"),
    Outcome.PARK: Effect(200, Delivery.ACKNOWLEDGE, "OrdersParked"),
    Outcome.DENY: Effect(401, Delivery.RETURN, "RequestsDenied"),
    Outcome.BAD_REQUEST: Effect(400, Delivery.RETURN, "BadRequests"),
}

_FINAL = {
    OrderState.COLLECTED: Outcome.OK,
    OrderState.REJECTED: Outcome.REJECT,
    OrderState.EXPIRED: Outcome.EXPIRE,
    OrderState.PARKED: Outcome.PARK,
}
_WAITING = {
    Reason.TRANSIENT.value: Outcome.RETRY,
    Reason.THROTTLED.value: Outcome.RETRY,
    Reason.PAUSED.value: Outcome.RETRY,
    Reason.APP_STOPPED.value: Outcome.RETRY,
    Reason.CREDENTIALS.value: Outcome.RENEW,
}


def outcome_of(state: OrderState, reason: str | None) -> Outcome:
    """Returns the outcome of an order's state; a running attempt is pending."""
    if state is OrderState.WAITING:
        return _WAITING.get(reason or "", Outcome.PENDING)
    return _FINAL.get(state, Outcome.PENDING)
