"""The documents that this service collects; everything else knows their names only.

A document's module is imported for its first order.
"""

# ruff: noqa: PLC0415 - see above

from collections.abc import Callable
from functools import cache

from kycourier.core.documents.recognition import Document, DocumentType


def _bank_card() -> DocumentType:
    from kycourier.core.documents.bank_card import BankCard

    return BankCard()


def _id_card() -> DocumentType:
    from kycourier.core.documents.id_card import IdCard

    return IdCard()


def _face() -> DocumentType:
    from kycourier.core.documents.face import Face

    return Face()


TYPES: dict[Document, Callable[[], DocumentType]] = {
    Document("bank_card"): _bank_card,
    Document("id_card"): _id_card,
    Document("face"): _face,
}
DEFAULT_DOCUMENT = Document("bank_card")
MAX_PHOTOS = 5  # of one order: an ID card's


def documents() -> tuple[Document, ...]:
    """Returns the names of all documents."""
    return tuple(TYPES)


def parse_document(text: object) -> Document:
    """Returns the name of a known document unchanged. Raises ValueError."""
    for name in TYPES:
        if name == text:
            return name
    raise ValueError


@cache
def document_type(document: Document) -> DocumentType:
    """Returns how a document is queried, parsed and masked."""
    return TYPES[document]()
