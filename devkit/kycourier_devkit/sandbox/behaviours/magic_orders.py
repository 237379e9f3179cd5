"""Defines the magic order numbers, which select the behaviour of an order.

A magic order number is a name of the table, its number if it has one, and optionally
`x` with a suffix that makes it unique: `late3x001`. For any other order number, the
result is complete at once.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from kycourier_devkit.sandbox.behaviours.drift import (
    DRIFTS,
    Drift,
    without_original,
    without_photos,
)
from kycourier_devkit.sandbox.behaviours.faults import (
    ERROR_RESPONSES,
    RESPONSE_FAULTS,
    ErrorResponse,
    ResponseFault,
)
from kycourier_devkit.sandbox.behaviours.spelling import (
    Action,
    Behaviour,
    help_rows,
    index_by_name,
    parse_behaviour,
)
from kycourier_devkit.sandbox.documents.bank_card import other_card_number
from kycourier_devkit.sandbox.http.responses import Response, json_response
from kycourier_devkit.sandbox.platform import result_codes
from kycourier_devkit.sandbox.platform.replies import (
    CROPPED,
    NUMBER,
    PHOTOS,
    OrderQuery,
    error_reply,
    result_reply,
)

OrderAction = Callable[[OrderQuery, int], Response]  # (query, N)
OrderBehaviour = Callable[[OrderQuery], Response]


def complete_result(query: OrderQuery) -> Response:
    """Returns the response to an order number that is not magic."""
    return result_reply(query).response()


def _complete(query: OrderQuery, _: int) -> Response:
    return complete_result(query)


def _drifted(drift: Drift) -> OrderAction:
    return lambda query, _: drift(result_reply(query)).response()


def _with_fault(fault: ResponseFault) -> OrderAction:
    return lambda query, number: fault(complete_result(query), number)


def _without(*photos: str) -> Drift:
    return lambda reply: without_photos(reply, *photos)


def _with_error(error: ErrorResponse) -> OrderAction:
    return lambda query, number: error(number, query.now)


def _late(query: OrderQuery, seconds: int) -> Response:
    reply = result_reply(query)
    late = query.age_seconds < seconds
    return (without_photos(reply, *PHOTOS) if late else reply).response()


def _late_original(query: OrderQuery, seconds: int) -> Response:
    reply = result_reply(query)
    late = query.age_seconds < seconds
    return (without_original(reply) if late else reply).response()


def _not_ready(query: OrderQuery, seconds: int) -> Response:
    if query.age_seconds < seconds:
        return _error_reply(result_codes.OCR_RESULT_NOT_FOUND, query)
    return complete_result(query)


def _never_ready(query: OrderQuery, _: int) -> Response:
    return _error_reply(result_codes.NO_SUCH_RESULT, query)


def _changing(query: OrderQuery, _: int) -> Response:
    reply = result_reply(query)
    if query.number > 1:
        reply = reply.with_result(bankCardNo=other_card_number(query.order_no))
    return reply.response()


def _kill_tickets(query: OrderQuery, queries: int) -> Response:
    if query.number > queries:
        return complete_result(query)
    return replace(
        _error_reply(result_codes.SIGN_REJECTED, query), revokes_tickets=True
    )


def _error_reply(code: str, query: OrderQuery) -> Response:
    return json_response(error_reply(code, now=query.now))


def _convert(
    behaviours: Iterable[Behaviour[Action]],
    convert: Callable[[Action], OrderAction],
) -> list[Behaviour[OrderAction]]:
    return [
        Behaviour(each.spelling, each.help, convert(each.action), each.default)
        for each in behaviours
    ]


ORDERS: tuple[Behaviour[OrderAction], ...] = (
    Behaviour("good", "the result is complete at once", _complete),
    Behaviour("lateN", "the photos come N seconds after the first query", _late, 3),
    Behaviour("latenever", "the photos never come", _drifted(_without(*PHOTOS))),
    Behaviour("lateoriginalN", "the original comes after N seconds", _late_original, 3),
    Behaviour(
        "lostoriginal",
        "the original never comes, the crops do",
        _drifted(without_original),
    ),
    Behaviour("lostcrops", "the crops never come", _drifted(_without(CROPPED, NUMBER))),
    Behaviour("notreadyN", "66660020 for N seconds, then the result", _not_ready, 20),
    Behaviour("neverready", "66660011, always", _never_ready),
    Behaviour(
        "killticketN",
        "the first N queries revoke all tickets",
        _kill_tickets,
        1,
    ),
    Behaviour("changing", "another card number from the second query on", _changing),
    *_convert(ERROR_RESPONSES, _with_error),
    *_convert(DRIFTS, _drifted),
    *_convert(RESPONSE_FAULTS, _with_fault),
)
_BY_NAME = index_by_name(ORDERS)
_ONCE = ("once...", "what follows, at the first query only: oncehtmlx, once503x")


def find_behaviour(text: str) -> OrderBehaviour | None:
    """Returns the behaviour of an order number; None if it is not magic."""
    parsed = parse_behaviour(text, table=_BY_NAME)
    if parsed is None:
        return None

    def respond(query: OrderQuery) -> Response:
        if parsed.once and query.number > 1:
            return complete_result(query)
        return parsed.action(query, parsed.number)

    return respond


def order_rows() -> tuple[tuple[str, str], ...]:
    """Returns the spelling and help of every magic order number."""
    return (*help_rows(ORDERS), _ONCE)
