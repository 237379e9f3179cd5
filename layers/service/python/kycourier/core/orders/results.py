"""How an order ended: what its row keeps, its event carries and the API shows."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from kycourier.core.documents.recognition import Recognition
from kycourier.core.evidence import MANIFEST_KIND, StoredObject, uri_of
from kycourier.core.redaction import repr_only


@repr_only("photos_missing")
class CollectedResult(Struct, frozen=True, kw_only=True, tag="collected"):
    """A collected order: its masked values, and where its evidence is stored.

    `sealed` are the clear values, encrypted for the partner; None if not asked for.
    `evidence_uri` is the store's URI at the time, without a slash at its end.
    """

    masked: dict[str, object]
    sealed: str | None = None
    photos: tuple[StoredObject, ...]
    photos_missing: tuple[str, ...]
    manifest: StoredObject
    evidence_uri: str
    biz_seq_no: str | None
    transaction_time: str | None

    @property
    def reason(self) -> str | None:
        """The name of what the order ended for; None for a result."""
        return None

    def data(self) -> Mapping[str, object]:
        """Builds the event's data without the order's identity."""
        return {
            **self.masked,
            "sealed": self.sealed,
            "photos": [self._describe(photo) for photo in self.photos],
            "photos_missing": list(self.photos_missing),
            MANIFEST_KIND: {
                "uri": uri_of(self.manifest, evidence_uri=self.evidence_uri),
                "sha256": self.manifest.sha256,
            },
            "upstream": {
                "biz_seq_no": self.biz_seq_no,
                "transaction_time": self.transaction_time,
            },
        }

    def keys(self) -> set[str]:
        """Returns the keys of all objects that the event names."""
        return {each.key for each in (*self.photos, self.manifest)}

    def photo_key(self, kind: str, *, evidence_uri: str) -> str | None:
        """Returns a photo's key, or None if the store at `evidence_uri` lacks it."""
        if evidence_uri != self.evidence_uri:
            return None
        return next((photo.key for photo in self.photos if photo.kind == kind), None)

    def _describe(self, photo: StoredObject) -> Mapping[str, object]:
        return {
            "kind": photo.kind,
            "uri": uri_of(photo, evidence_uri=self.evidence_uri),
            "sha256": photo.sha256,
            "bytes": photo.size_bytes,
            "media_type": photo.media_type,
        }


class FinalReason(Struct, frozen=True, tag="reason"):
    """An order that ended without a result: the platform's code, and a name of ours."""

    code: str
    name: str

    @property
    def reason(self) -> str:
        """The name of what the order ended for."""
        return self.name

    def data(self) -> Mapping[str, object]:
        """Builds the event's data without the order's identity."""
        return {"reason": {"code": self.code, "name": self.name}}


@repr_only("photos_missing")
class RefusedResult(CollectedResult, frozen=True, kw_only=True, tag="refused"):
    """A rejected order with evidence: what was recognized, and why it was refused."""

    refusal: FinalReason

    @property
    def reason(self) -> str:
        """The name of what the order ended for."""
        return self.refusal.name

    def data(self) -> Mapping[str, object]:
        """Builds the event's data without the order's identity."""
        return {**self.refusal.data(), **super().data()}


OrderResult = CollectedResult | RefusedResult | FinalReason


def collected_result(
    recognition: Recognition,
    masked: Mapping[str, object],
    *,
    sealed: str | None,
    photos: tuple[StoredObject, ...],
    manifest: StoredObject,
    evidence_uri: str,
) -> CollectedResult:
    """Builds the result of a recognition whose evidence is stored."""
    members: dict[str, Any] = {
        "masked": dict(masked),
        "sealed": sealed,
        "photos": photos,
        "photos_missing": recognition.photos_missing,
        "manifest": manifest,
        "evidence_uri": evidence_uri,
        "biz_seq_no": recognition.biz_seq_no,
        "transaction_time": recognition.transaction_time,
    }
    if (refused := recognition.refusal) is None:
        return CollectedResult(**members)
    refusal = FinalReason(code=refused.code, name=refused.name)
    return RefusedResult(**members, refusal=refusal)
