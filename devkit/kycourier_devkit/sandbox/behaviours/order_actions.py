"""Defines what a magic order number does, and makes it of drifts and faults."""

from collections.abc import Callable, Iterable

from kycourier_devkit.sandbox.behaviours.faults import ErrorResponse, ResponseFault
from kycourier_devkit.sandbox.behaviours.spelling import Action, Behaviour
from kycourier_devkit.sandbox.http.responses import Response
from kycourier_devkit.sandbox.results.document import OrderQuery, ResultReply

OrderAction = Callable[[OrderQuery, int], Response]  # (query, N)
OrderBehaviour = Callable[[OrderQuery], Response]
Drift = Callable[[ResultReply], ResultReply]
NumberedDrift = Callable[[ResultReply, int], ResultReply]


def complete_result(query: OrderQuery) -> Response:
    """Returns the response to an order number that is not magic."""
    return query.reply().response()


def drifted(drift: Drift) -> OrderAction:
    """Changes the reply with the complete result."""
    return lambda query, _: drift(query.reply()).response()


def numbered(drift: NumberedDrift) -> OrderAction:
    """Changes the reply with the complete result as the order's number says."""
    return lambda query, number: drift(query.reply(), number).response()


def late(drift: Drift) -> OrderAction:
    """Changes the reply during the first N seconds after the first query."""

    def respond(query: OrderQuery, seconds: int) -> Response:
        is_late = query.age_seconds < seconds
        return drifted(drift)(query, 0) if is_late else complete_result(query)

    return respond


def late_by_queries(drift: Drift) -> OrderAction:
    """Changes the reply to the first N queries."""

    def respond(query: OrderQuery, queries: int) -> Response:
        is_late = query.number <= queries
        return drifted(drift)(query, 0) if is_late else complete_result(query)

    return respond


def with_fault(fault: ResponseFault) -> OrderAction:
    """Changes the response with the complete result."""
    return lambda query, number: fault(complete_result(query), number)


def with_error(error: ErrorResponse) -> OrderAction:
    """Responds with an error instead."""
    return lambda query, number: error(number, query.now, query.document.name)


def with_fields(**fields: object) -> Drift:
    """Sets fields of the result."""
    return lambda reply: reply.with_result(**fields)


def converted(
    behaviours: Iterable[Behaviour[Action]],
    convert: Callable[[Action], OrderAction],
) -> list[Behaviour[OrderAction]]:
    """Converts the actions of a table."""
    return [
        Behaviour(each.spelling, each.help, convert(each.action), each.default)
        for each in behaviours
    ]
