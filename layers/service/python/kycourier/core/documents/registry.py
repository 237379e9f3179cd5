"""The documents that this service collects; everything else knows `Document` only."""

from enum import Enum

from kycourier.core.documents.bank_card import BankCard
from kycourier.core.documents.recognition import DocumentType


class Document(str, Enum):
    """What was scanned."""

    BANK_CARD = "bank_card"


DEFAULT_DOCUMENT = Document.BANK_CARD
_TYPES: dict[Document, DocumentType] = {Document.BANK_CARD: BankCard()}


def document_type(document: Document) -> DocumentType:
    """Returns how a document is queried, parsed and masked."""
    return _TYPES[document]


def max_photos() -> int:
    """Returns how many photos one order can have."""
    return max(len(each.photo_kinds) for each in _TYPES.values())
