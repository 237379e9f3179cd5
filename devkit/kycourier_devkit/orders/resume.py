"""What a person lifts: parked orders, and the app's pause."""

from collections.abc import Sequence
from datetime import timedelta

from kycourier.assembly import Assembly
from kycourier.core.errors import StoreUnavailable
from kycourier.core.models import OrderKey
from kycourier.core.order_record import State
from kycourier.usecases.register_order import Expected
from kycourier_devkit.orders.collect import check_number
from kycourier_devkit.orders.parts import STATE_NEEDS, open_parts
from kycourier_devkit.session import Session


def resume_orders(session: Session, numbers: Sequence[str]) -> int:
    """Lift parked orders; give the exit code: 1 if one was not parked."""
    numbers = [check_number(number) for number in numbers]
    parts = open_parts(session, STATE_NEEDS)
    states = {number: _reopen(parts, number) for number in dict.fromkeys(numbers)}
    for number, before in states.items():
        if before == State.PARKED.value:
            session.screen.line(f"{number}: due now")
        else:
            session.screen.problem(f"{number}: not parked but {before}")
    return 0 if set(states.values()) <= {State.PARKED.value} else 1


def resume_app(session: Session) -> int:
    """End the app's pause, whoever began it; give the exit code."""
    parts = open_parts(session, STATE_NEEDS)
    paused = parts.brake.rest() is not None
    parts.brake.resume()
    text = "the pause is over" if paused else "there was no pause"
    session.screen.line(f"{parts.app_id}: {text}")
    return 0


def _reopen(parts: Assembly, number: str) -> str:
    """Make a parked order due now; give the state that it was in."""
    order = OrderKey(parts.app_id, number)
    record = parts.state.orders.load(order)
    if record is None:
        return "unknown"
    if record.state is State.PARKED:
        parts.register.make_due(Expected(order=order), reopen=True)
        _enqueue(parts, order)
    return record.state.value


def _enqueue(parts: Assembly, order: OrderKey) -> None:
    """Hand it to the queue at once; without one, or if it fails, the sweep finds it."""
    if parts.queue is None:
        return
    try:
        parts.queue.enqueue(order, timedelta(0))
    except StoreUnavailable:
        return
