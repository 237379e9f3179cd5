"""Resumes parked orders, and closes the app's circuit breaker."""

from collections.abc import Sequence
from datetime import timedelta

from kycourier.container import Container
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.orders.order_request import OrderRequest
from kycourier.core.orders.record import OrderKey, OrderState
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.orders.container import STATE_SETTINGS, open_container
from kycourier_devkit.orders.order_numbers import check_order_number


def resume_orders(context: CliContext, order_numbers: Sequence[str]) -> int:
    """Makes parked orders due now.

    Returns:
        The exit code: 1 if an order was not parked.
    """
    numbers = dict.fromkeys(map(check_order_number, order_numbers))
    container = open_container(context, STATE_SETTINGS)
    earlier_states = {number: _reopen(container, number) for number in numbers}
    for number, state in earlier_states.items():
        if state == OrderState.PARKED.value:
            context.terminal.line(f"{number}: due now")
        else:
            context.terminal.problem(f"{number}: not parked but {state}")
    return 0 if set(earlier_states.values()) <= {OrderState.PARKED.value} else 1


def close_circuit_breaker(context: CliContext) -> int:
    """Closes the app's circuit breaker. Returns the exit code."""
    container = open_container(context, STATE_SETTINGS)
    was_open = container.breaker.open_for() is not None
    container.breaker.resume()
    text = "is closed now" if was_open else "was not open"
    context.terminal.line(f"{container.app_id}: the circuit breaker {text}")
    return 0


def _reopen(container: Container, number: str) -> str:
    """Makes a parked order due now. Returns the state that it was in."""
    order = OrderKey(container.app_id, number)
    record = container.stores.orders.get(order)
    if record is None:
        return "unknown"
    if record.state is OrderState.PARKED:
        container.register.make_due(OrderRequest(order=order), reopen=True)
        _enqueue(container, order)
    return record.state.value


def _enqueue(container: Container, order: OrderKey) -> None:
    """Enqueues the order; if that fails, the sweep finds it."""
    if container.queue is None:
        return
    try:
        container.queue.enqueue(order, timedelta(0))
    except StoreUnavailableError:
        return
