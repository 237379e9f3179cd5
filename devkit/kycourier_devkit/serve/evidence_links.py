"""Opens the objects that signed download links of the local evidence name."""

from typing import BinaryIO
from urllib.parse import parse_qsl

from msgspec import Struct

from kycourier.adapters import registry
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.core.evidence import EXTENSIONS
from kycourier.settings.reader import Settings

LINK_ROOT = "/evidence/"
_MEDIA_TYPES = {extension: name for name, extension in EXTENSIONS.items()}
_DEFAULT_MEDIA_TYPE = "application/octet-stream"
_MAX_FIELDS = 5


class OpenObject(Struct, frozen=True):
    """An object that is open for reading; the caller closes its file."""

    file: BinaryIO
    media_type: str


class EvidenceLinks:
    """Checks links and opens their objects."""

    def __init__(self, store: FileEvidenceStore) -> None:
        self._store = store

    def open(self, path: str, query: str) -> OpenObject | None:
        """Opens the object; returns None if the link is malformed, forged or expired.

        Raises:
            EvidenceUnavailableError: The link is valid, but its object does not exist.
        """
        key, fields = path.removeprefix(LINK_ROOT), _read_query(query)
        if fields is None or not self._store.check_link(key, **fields):
            return None
        media_type = _MEDIA_TYPES.get(key.rpartition(".")[2], _DEFAULT_MEDIA_TYPE)
        return OpenObject(self._store.open(key), media_type)


def open_links(settings: Settings, context: AdapterContext) -> EvidenceLinks | None:
    """Returns the links of evidence in local files; None for other stores.

    Raises:
        SettingError: The evidence folder cannot be used.
    """
    if settings.evidence is None or settings.evidence.scheme != "file":
        return None
    store = registry.open_evidence(settings.evidence, context, state=settings.state)
    return EvidenceLinks(store) if isinstance(store, FileEvidenceStore) else None


def _read_query(query: str) -> dict[str, str] | None:
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError:
        return None
    names = sorted(name for name, _ in pairs)
    return dict(pairs) if names == ["expires", "signature"] else None
