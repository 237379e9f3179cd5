"""The magic order numbers: the one table of what each makes the platform do.

A number is magic if it spells a word of the table, perhaps its number, and then ends or
goes on with `x` and anything that makes it unique: `late3x001`. Any other order number
is an ordinary good order.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from kycourier_devkit.sandbox import codes
from kycourier_devkit.sandbox.answers import Answer, json_answer
from kycourier_devkit.sandbox.cards import other_number
from kycourier_devkit.sandbox.drift import (
    DRIFTS,
    Drift,
    without_original,
    without_photos,
)
from kycourier_devkit.sandbox.faults import DAMAGES, REFUSALS, Damage, Refuse
from kycourier_devkit.sandbox.replies import (
    CROPPED,
    NUMBER,
    PHOTOS,
    Visit,
    refusal_reply,
    result_reply,
)
from kycourier_devkit.sandbox.words import Does, Word, by_name, explain, read_word

Play = Callable[[Visit, int], Answer]  # (this query of the order, N) -> its answer
Behaviour = Callable[[Visit], Answer]


def good_order(visit: Visit) -> Answer:
    """Answer as any order number is answered that is not magic."""
    return result_reply(visit).answer()


def _good(visit: Visit, _: int) -> Answer:
    return good_order(visit)


def _drifted(drift: Drift) -> Play:
    return lambda visit, _: drift(result_reply(visit)).answer()


def _damaged(damage: Damage) -> Play:
    return lambda visit, number: damage(good_order(visit), number)


def _without(*photos: str) -> Drift:
    return lambda reply: without_photos(reply, *photos)


def _refused(refuse: Refuse) -> Play:
    return lambda visit, number: refuse(number, visit.now)


def _late(visit: Visit, seconds: int) -> Answer:
    reply = result_reply(visit)
    late = visit.age_seconds < seconds
    return (without_photos(reply, *PHOTOS) if late else reply).answer()


def _late_original(visit: Visit, seconds: int) -> Answer:
    reply = result_reply(visit)
    late = visit.age_seconds < seconds
    return (without_original(reply) if late else reply).answer()


def _not_ready(visit: Visit, seconds: int) -> Answer:
    if visit.age_seconds < seconds:
        return _refusal(codes.OCR_RESULT_NOT_FOUND, visit)
    return good_order(visit)


def _never_ready(visit: Visit, _: int) -> Answer:
    return _refusal(codes.NO_SUCH_RESULT, visit)


def _changing(visit: Visit, _: int) -> Answer:
    reply = result_reply(visit)
    if visit.attempt > 1:
        reply = reply.with_result(bankCardNo=other_number(visit.order_no))
    return reply.answer()


def _kill_tickets(visit: Visit, queries: int) -> Answer:
    if visit.attempt > queries:
        return good_order(visit)
    return replace(_refusal(codes.SIGN_REJECTED, visit), revokes_tickets=True)


def _refusal(code: str, visit: Visit) -> Answer:
    return json_answer(refusal_reply(code, now=visit.now))


def _each(
    words: Iterable[Word[Does]], play: Callable[[Does], Play]
) -> list[Word[Play]]:
    return [Word(w.spelling, w.help, play(w.does), w.default) for w in words]


ORDERS: tuple[Word[Play], ...] = (
    Word("good", "an ordinary good order, as is any other number", _good),
    Word("lateN", "the photos come N seconds after the first query", _late, 3),
    Word("latenever", "the photos never come", _drifted(_without(*PHOTOS))),
    Word("lateoriginalN", "the original comes after N seconds", _late_original, 3),
    Word(
        "lostoriginal",
        "the original never comes, the crops do",
        _drifted(without_original),
    ),
    Word("lostcrops", "the crops never come", _drifted(_without(CROPPED, NUMBER))),
    Word("notreadyN", "66660020 for N seconds, then the result", _not_ready, 20),
    Word("neverready", "66660011, always", _never_ready),
    Word("killticketN", "the first N queries revoke every ticket", _kill_tickets, 1),
    Word("changing", "another card number from the second query on", _changing),
    *_each(REFUSALS, _refused),
    *_each(DRIFTS, _drifted),
    *_each(DAMAGES, _damaged),
)
_BY_NAME = by_name(ORDERS)
_ONCE = ("once...", "the word after it at the first query only: oncehtmlx, once503x")
_GRAMMAR = """\
A word of this table, the number N where the word has one, then x and anything
that makes the order unique: late3x001. Any other order number is a good order.
"""


def behaviour_of(text: str) -> Behaviour | None:
    """Read an order number, or just the word; None if it is not magic."""
    spelled = read_word(text, table=_BY_NAME)
    if spelled is None:
        return None

    def behave(visit: Visit) -> Answer:
        if spelled.once and visit.attempt > 1:
            return good_order(visit)
        return spelled.does(visit, spelled.number)

    return behave


def order_rows() -> tuple[tuple[str, str], ...]:
    """List the spelling and help of every magic order number."""
    return (*explain(ORDERS), _ONCE)


def describe_orders() -> str:
    """Set the table, and how to spell, as text of at most 80 columns."""
    rows = (f"{spelling:<16}{text}" for spelling, text in order_rows())
    return "\n".join([_GRAMMAR, *rows])
