"""Stores photos, then the manifest that names them; finds orphaned objects."""

from collections.abc import Callable, Sequence
from typing import Any

from kycourier.core.documents.recognition import Recognition
from kycourier.core.documents.registry import document_type
from kycourier.core.events.sealed_content import build_sealed_content
from kycourier.core.evidence import (
    StoredObject,
    build_manifest,
    folder_of,
    locate_manifest,
    locate_photo,
)
from kycourier.core.fingerprints import FingerprintKey
from kycourier.core.orders.record import OrderRecord
from kycourier.core.orders.results import CollectedResult, collected_result
from kycourier.core.redaction import scrub_traceback
from kycourier.ports import EvidenceStore, Sealer
from kycourier.usecases.concurrency import run_sequentially

RunAll = Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]


class EvidenceWriter:
    """Writes one collection's evidence into its own folder."""

    def __init__(
        self,
        store: EvidenceStore,
        *,
        uri: str,
        fingerprint_key: FingerprintKey,
        sealer: Sealer | None = None,
        run_all: RunAll = run_sequentially,
    ) -> None:
        """Prepares the writer.

        Args:
            store: Where objects go.
            uri: The store's URI, without a slash at its end.
            fingerprint_key: For the fingerprints of personal numbers.
            sealer: Seals the clear values; None if the partner does not want them.
            run_all: How several photos are stored: at once, or one after another.
        """
        self._store, self._uri, self._key = store, uri, fingerprint_key
        self._sealer, self._run_all = sealer, run_all

    @scrub_traceback
    def store(self, record: OrderRecord, recognition: Recognition) -> CollectedResult:
        """Stores photos and manifest, and seals the clear values.

        Returns:
            The order's result, which names all of them.

        Raises:
            EvidenceConflictError: an object exists with other bytes.
            EvidenceUnavailableError: the store or the sealer failed.
        """
        sealed = self._seal(record, recognition)
        folder = folder_of(record.app_id, record.folder)
        photos = tuple(
            locate_photo(photo, folder=folder) for photo in recognition.photos
        )
        contents = [photo.content.expose() for photo in recognition.photos]
        self._run_all(self._put_photo, list(zip(photos, contents, strict=True)))
        masked = document_type(record.document).mask(recognition, self._key)
        content = build_manifest(
            record.identity, masked, recognition=recognition, photos=photos
        )
        manifest = locate_manifest(content, folder=folder)
        self._put(manifest, content, more=False)
        return collected_result(
            recognition,
            masked,
            sealed=sealed,
            photos=photos,
            manifest=manifest,
            evidence_uri=self._uri,
        )

    def _seal(self, record: OrderRecord, recognition: Recognition) -> str | None:
        if self._sealer is None:
            return None
        recognized = document_type(record.document).reveal(recognition)
        return self._sealer.seal(build_sealed_content(record, recognized))

    def orphans(self, record: OrderRecord) -> list[str]:
        """Lists the objects in the order's folder that its event does not name.

        Raises:
            EvidenceUnavailableError: the store failed.
        """
        if record.folder is None:
            return []
        result = record.result
        named = result.keys() if isinstance(result, CollectedResult) else set()
        folder = folder_of(record.app_id, record.folder)
        return sorted(set(self._store.list(folder)) - named)

    def _put_photo(self, item: tuple[StoredObject, bytes]) -> None:
        """Stores a photo; the manifest's put makes it durable."""
        self._put(*item, more=True)

    def _put(self, stored: StoredObject, content: bytes, *, more: bool) -> None:
        self._store.put(
            stored.key,
            content,
            sha256=stored.sha256,
            media_type=stored.media_type,
            more=more,
        )
