"""Defines the magic order numbers, which select the behaviour of an order.

A magic order number is a name of the table, its number if it has one, and optionally
`x` with a suffix that makes it unique: `late3x001`. For any other order number, and for
a document that the name does not concern, the result is complete at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kycourier_devkit.sandbox.behaviours.bank_card_orders import BANK_CARD_ORDERS
from kycourier_devkit.sandbox.behaviours.drift import (
    DRIFTS,
    without_files,
    without_originals,
)
from kycourier_devkit.sandbox.behaviours.face_orders import FACE_ORDERS
from kycourier_devkit.sandbox.behaviours.faults import ERROR_RESPONSES, RESPONSE_FAULTS
from kycourier_devkit.sandbox.behaviours.id_card_orders import ID_CARD_ORDERS
from kycourier_devkit.sandbox.behaviours.order_actions import (
    OrderAction,
    OrderBehaviour,
    complete_result,
    converted,
    drifted,
    late,
    with_error,
    with_fault,
)
from kycourier_devkit.sandbox.behaviours.spelling import (
    Behaviour,
    help_rows,
    index_by_name,
    parse_behaviour,
)
from kycourier_devkit.sandbox.http.responses import Response
from kycourier_devkit.sandbox.platform import result_codes
from kycourier_devkit.sandbox.results.bank_card import BANK_CARD
from kycourier_devkit.sandbox.results.document import Document, OrderQuery
from kycourier_devkit.sandbox.results.face import FACE
from kycourier_devkit.sandbox.results.id_card import ID_CARD
from kycourier_devkit.sandbox.results.registry import DOCUMENTS

Orders = Iterable[Behaviour[OrderAction]]


def _complete(query: OrderQuery, _: int) -> Response:
    return complete_result(query)


def _not_ready(query: OrderQuery, seconds: int) -> Response:
    if query.age_seconds < seconds:
        return query.error(query.document.not_ready_code)
    return complete_result(query)


def _never_ready(query: OrderQuery, _: int) -> Response:
    return query.error(query.document.no_record_code)


def _changing(query: OrderQuery, _: int) -> Response:
    changed = query.document.changed(query.order_no) if query.number > 1 else {}
    return query.reply().with_result(**changed).response()


def _kill_tickets(query: OrderQuery, queries: int) -> Response:
    if query.number > queries:
        return complete_result(query)
    return replace(query.error(result_codes.SIGN_REJECTED), revokes_tickets=True)


_OF_ALL: tuple[Behaviour[OrderAction], ...] = (
    Behaviour("good", "the result is complete at once", _complete),
    Behaviour(
        "lateN",
        "photos and video come N seconds after the first query",
        late(without_files),
        3,
    ),
    Behaviour("latenever", "photos and video never come", drifted(without_files)),
    Behaviour(
        "lateoriginalN",
        "the original comes after N seconds",
        late(without_originals),
        3,
    ),
    Behaviour(
        "lostoriginal",
        "the original never comes, the rest does",
        drifted(without_originals),
    ),
    Behaviour(
        "notreadyN",
        "66660020 (face: 66660011) for N seconds, then a result",
        _not_ready,
        20,
    ),
    Behaviour("neverready", "66660011 (ID card: 66660020), always", _never_ready),
    Behaviour(
        "killticketN", "the first N queries revoke all tickets", _kill_tickets, 1
    ),
    Behaviour("changing", "another result from the second query on", _changing),
    *converted(ERROR_RESPONSES, with_error),
    *converted(DRIFTS, drifted),
    *converted(RESPONSE_FAULTS, with_fault),
)
_ORDERS: Mapping[Document, Orders] = {
    BANK_CARD: (*_OF_ALL, *BANK_CARD_ORDERS),
    ID_CARD: (*_OF_ALL, *ID_CARD_ORDERS),
    FACE: (*_OF_ALL, *FACE_ORDERS),
}
_BY_NAME = {document: index_by_name(orders) for document, orders in _ORDERS.items()}


@dataclass(frozen=True)
class OrderRow:
    """One magic order number: spelling, documents that it concerns, help."""

    spelling: str
    documents: tuple[Document, ...]
    help: str

    @property
    def titles(self) -> str:
        """The names of the documents."""
        if self.documents == DOCUMENTS:
            return "all"
        return ", ".join(document.title for document in self.documents)


def find_behaviour(text: str, document: Document) -> OrderBehaviour | None:
    """Returns the behaviour of an order number; None if it is not magic."""
    parsed = parse_behaviour(text, table=_BY_NAME[document])
    if parsed is None:
        return None

    def respond(query: OrderQuery) -> Response:
        if parsed.once and query.number > 1:
            return complete_result(query)
        return parsed.action(query, parsed.number)

    return respond


def is_behaviour(text: str) -> bool:
    """Returns whether an order number is magic for any document."""
    return any(find_behaviour(text, document) for document in DOCUMENTS)


def list_orders() -> list[OrderRow]:
    """Lists every magic order number, those of all documents first."""
    found: dict[tuple[str, str], list[Document]] = {}
    for document in DOCUMENTS:
        for row in help_rows(_ORDERS[document]):
            found.setdefault(row, []).append(document)
    rows = [
        OrderRow(spelling, tuple(documents), text)
        for (spelling, text), documents in found.items()
    ]
    once = "what follows, at the first query only: oncehtmlx, once503x"
    return [*rows, OrderRow("once...", DOCUMENTS, once)]


def order_rows() -> tuple[tuple[str, str], ...]:
    """Returns the spelling and help of every magic order number.

    The help names the documents, unless the number concerns all of them.
    """
    helps: dict[str, list[str]] = {}
    for row in list_orders():
        concerned = "" if row.documents == DOCUMENTS else f"{row.titles}: "
        helps.setdefault(row.spelling, []).append(f"{concerned}{row.help}")
    return tuple((spelling, "; ".join(texts)) for spelling, texts in helps.items())


def order_sections() -> dict[str, list[tuple[str, str]]]:
    """Returns spelling and help of the magic order numbers by title.

    The first section has those of all documents, each further one those that concern
    one document, of which some concern another one too.
    """
    rows = list_orders()
    common = [row for row in rows if row.documents == DOCUMENTS]
    sections = {"Order numbers": common}
    for document in DOCUMENTS:
        sections[f"Order numbers of the {document.title}"] = [
            row for row in rows if document in row.documents and row not in common
        ]
    return {
        title: [(row.spelling, row.help) for row in section]
        for title, section in sections.items()
    }
