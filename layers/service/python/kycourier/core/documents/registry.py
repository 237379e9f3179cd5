"""The documents that this service collects; everything else knows their names only."""

from kycourier.core.documents.bank_card import BankCard
from kycourier.core.documents.face import Face
from kycourier.core.documents.id_card import IdCard
from kycourier.core.documents.recognition import Document, DocumentType

DEFAULT_DOCUMENT = BankCard.name
_ALL: tuple[DocumentType, ...] = (BankCard(), IdCard(), Face())
TYPES = {each.name: each for each in _ALL}


def documents() -> tuple[Document, ...]:
    """Returns the names of all documents."""
    return tuple(TYPES)


def parse_document(text: object) -> Document:
    """Returns the name of a known document unchanged. Raises ValueError."""
    for name in TYPES:
        if name == text:
            return name
    raise ValueError


def document_type(document: Document) -> DocumentType:
    """Returns how a document is queried, parsed and masked."""
    return TYPES[document]


def max_photos() -> int:
    """Returns how many photos one order can have."""
    return max(len(each.photo_kinds) for each in TYPES.values())
