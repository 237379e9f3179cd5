"""What a download link of the local evidence answers: the object, or a refusal."""

from typing import BinaryIO
from urllib.parse import parse_qsl

from msgspec import Struct

from kycourier.adapters import places
from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.photos import EXTENSIONS
from kycourier.settings import Settings

ROOT = "/evidence/"
_MEDIA_TYPES = {extension: name for name, extension in EXTENSIONS.items()}
_OTHER = "application/octet-stream"
_MOST_FIELDS = 5


class Opened(Struct, frozen=True):
    """An object that a link opened; the caller closes it."""

    file: BinaryIO
    media_type: str


class EvidenceLinks:
    """Opens what a valid link names."""

    def __init__(self, store: FileEvidenceStore) -> None:
        self._store = store

    def open(self, path: str, query: str) -> Opened | None:
        """Open the object; None for a link that is not ours, has ended, or is broken.

        Raises EvidenceUnavailable when a valid link's object is not there.
        """
        key, fields = path.removeprefix(ROOT), _read_query(query)
        if fields is None or not self._store.check_link(key, **fields):
            return None
        media_type = _MEDIA_TYPES.get(key.rpartition(".")[2], _OTHER)
        return Opened(self._store.open(key), media_type)


def open_links(settings: Settings, around: Surroundings) -> EvidenceLinks | None:
    """Open the evidence if it lies in files; else its links lead elsewhere.

    Raises SettingError.
    """
    if settings.evidence is None or settings.evidence.scheme != "file":
        return None
    store = places.open_evidence(settings.evidence, around, state=settings.state)
    return EvidenceLinks(store) if isinstance(store, FileEvidenceStore) else None


def _read_query(query: str) -> dict[str, str] | None:
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        return None
    names = sorted(name for name, _ in pairs)
    return dict(pairs) if names == ["expires", "signature"] else None
