"""Reads the option that names a document."""

from kycourier.core.documents.recognition import Document
from kycourier.core.documents.registry import documents, parse_document
from kycourier_devkit.errors import UsageError


def parse_document_option(text: str | None) -> Document | None:
    """Returns the document, None without the option. Raises UsageError."""
    if text is None:
        return None
    try:
        return parse_document(text)
    except ValueError:
        known = ", ".join(documents())
    raise UsageError(f"--document: must be {known}")
