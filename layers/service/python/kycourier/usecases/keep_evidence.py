"""Photos first, then the manifest that names them; and what was left beside them."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from kycourier.core import events
from kycourier.core.card import FingerprintKey
from kycourier.core.errors import EvidenceUnavailable, forgetful
from kycourier.core.events import Members, StoredObject
from kycourier.core.models import Recognition
from kycourier.core.order_record import OrderRecord
from kycourier.core.photos import build_key
from kycourier.ports import EvidenceStore
from kycourier.usecases.side_by_side import run_in_turn

_JSON = "application/json"

RunAll = Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]


class EvidenceKeeper:
    """Keeps one collection's evidence in its own folder."""

    def __init__(
        self,
        store: EvidenceStore,
        *,
        uri: str,
        fingerprint_key: FingerprintKey,
        run_all: RunAll = run_in_turn,
    ) -> None:
        self._store, self._uri, self._key = store, uri, fingerprint_key
        self._run_all = run_all

    @forgetful
    def keep(self, record: OrderRecord, recognition: Recognition) -> Members:
        """Store photos, at once, and manifest; give the event's data, which names all.

        Raises EvidenceConflict, EvidenceUnavailable.
        """
        folder = folder_of(record)
        photos = [
            events.place_photo(photo, folder=folder) for photo in recognition.photos
        ]
        contents = [photo.content.reveal() for photo in recognition.photos]
        self._run_all(self._put_photo, list(zip(photos, contents, strict=True)))
        result = events.build_result(recognition, self._key)
        manifest = self._put_manifest(
            folder,
            events.build_manifest(
                record, result, recognition=recognition, photos=photos
            ),
        )
        return events.build_collected_data(
            result,
            recognition=recognition,
            photos=photos,
            manifest=manifest,
            evidence_uri=self._uri,
        )

    def unreferenced(self, record: OrderRecord) -> list[str]:
        """Name the objects in the order's folder that its events do not.

        Raises EvidenceUnavailable.
        """
        if record.folder is None:
            return []
        named = events.named_keys(record.events, evidence_uri=self._uri)
        return sorted(set(self._store.list(folder_of(record))) - named)

    def _put_photo(self, what: tuple[StoredObject, bytes]) -> None:
        """Store a photo; that it lasts, its manifest's put sees to."""
        self._put(*what, more=True)

    def _put(self, place: StoredObject, content: bytes, *, more: bool) -> None:
        self._store.put(
            place.key,
            content,
            sha256=place.sha256,
            media_type=place.media_type,
            more=more,
        )

    def _put_manifest(self, folder: str, content: bytes) -> StoredObject:
        sha256 = hashlib.sha256(content).hexdigest()
        manifest = StoredObject(
            kind="manifest",
            key=build_key(folder, "manifest", sha256=sha256, media_type=_JSON),
            sha256=sha256,
            size_bytes=len(content),
            media_type=_JSON,
        )
        self._put(manifest, content, more=False)
        return manifest


def folder_of(record: OrderRecord) -> str:
    """Name the order's evidence folder. Raises EvidenceUnavailable before a claim."""
    if record.folder is None:
        raise EvidenceUnavailable("no folder before the first claim")
    return f"{record.app_id}/{record.folder}"
