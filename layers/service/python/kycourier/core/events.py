"""The events sent onward (CloudEvents 1.0) and the manifest kept beside the photos."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

import msgspec
from msgspec import Struct

from kycourier.core import card, codes
from kycourier.core.card import FingerprintKey
from kycourier.core.models import Photo, PhotoKind, Recognition
from kycourier.core.order_record import OrderRecord, OutboxEvent, State
from kycourier.core.photos import build_key

MANIFEST = "kycourier.manifest.v1"
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

Members = Mapping[str, object]


class StoredObject(Struct, frozen=True, kw_only=True):
    """One object of the evidence: its key below the store, and its digest."""

    kind: str
    key: str
    sha256: str
    size_bytes: int
    media_type: str


def event_type(state: State) -> str:
    """Name the event of a final state."""
    return f"kycourier.ocr.{state.value}.v1"


def parse_traceparent(text: object) -> str | None:
    """Give a W3C `traceparent` back when it is one of version 00, else None."""
    if isinstance(text, str) and _TRACEPARENT.fullmatch(text):
        return text
    return None


def build_event(
    record: OrderRecord, state: State, data: Members, *, event_id: str, now: datetime
) -> OutboxEvent:
    """Build the event of an order's end: one CloudEvent, as it will be sent."""
    kind = event_type(state)
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/kycourier/{record.app_id}",
        "type": kind,
        "subject": record.order_no,
        "time": now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "datacontenttype": "application/json",
    }
    if record.traceparent:
        event["traceparent"] = record.traceparent
    event["data"] = {**_ids(record), **data}
    return OutboxEvent(id=event_id, type=kind, body=msgspec.json.encode(event).decode())


def _ids(record: OrderRecord) -> Members:
    return {
        "app_id": record.app_id,
        "order_no": record.order_no,
        "document": record.document.value,
    }


def build_reason_data(*, code: str, name: str) -> Members:
    """Build the data of a rejected, expired or parked order."""
    return {"reason": {"code": code, "name": name}}


def build_result(recognition: Recognition, key: FingerprintKey) -> Members:
    """Build what event and manifest both say of the card: masked, never the number."""
    number = recognition.card_number
    digits = len(card.digits_of(number).reveal())
    at = recognition.recognized_at
    return {
        "card": {
            "number_masked": card.mask(number),
            "number_fingerprint": card.fingerprint(number, key),
            "number_sealed": None,
            "length": digits or None,
            "luhn_valid": card.is_luhn_valid(number),
            "valid_until": recognition.valid_until,
            "expired": card.is_expired(recognition.valid_until, at),
        },
        "quality": {
            "clarity": recognition.clarity,
            "warnings": [
                {"code": code, "name": codes.warning_name(code)}
                for code in recognition.warnings
            ],
        },
        "recognized_at": at.isoformat() if at else None,
    }


def build_collected_data(
    result: Members,
    *,
    recognition: Recognition,
    photos: Sequence[StoredObject],
    manifest: StoredObject,
    evidence_uri: str,
) -> Members:
    """Build the data of a collected order: the result and where its evidence lies."""
    return {
        **result,
        "photos": [
            {
                "kind": photo.kind,
                "uri": f"{evidence_uri}/{photo.key}",
                "sha256": photo.sha256,
                "bytes": photo.size_bytes,
                "media_type": photo.media_type,
            }
            for photo in photos
        ],
        "photos_missing": [kind.value for kind in recognition.missing()],
        "manifest": {
            "uri": f"{evidence_uri}/{manifest.key}",
            "sha256": manifest.sha256,
        },
        "upstream": {
            "biz_seq_no": recognition.biz_seq_no,
            "transaction_time": recognition.transaction_time,
        },
    }


def build_manifest(
    record: OrderRecord,
    result: Members,
    *,
    recognition: Recognition,
    photos: Sequence[StoredObject],
) -> bytes:
    """Build the manifest: nothing in it differs from one query to the next."""
    manifest = {
        "manifest": MANIFEST,
        **_ids(record),
        "code": codes.OK_CODE,
        **result,
        "photos_missing": [kind.value for kind in recognition.missing()],
        "objects": [
            {
                "kind": photo.kind,
                "name": photo.key.rpartition("/")[2],
                "sha256": photo.sha256,
                "bytes": photo.size_bytes,
                "media_type": photo.media_type,
            }
            for photo in photos
        ],
    }
    return msgspec.json.encode(manifest)


def place_photo(photo: Photo, *, folder: str) -> StoredObject:
    """Say where a photo will lie."""
    return StoredObject(
        kind=photo.kind.value,
        key=build_key(
            folder, photo.kind.value, sha256=photo.sha256, media_type=photo.media_type
        ),
        sha256=photo.sha256,
        size_bytes=photo.size_bytes,
        media_type=photo.media_type,
    )


def results_differ(
    standing: Sequence[OutboxEvent], other: Sequence[OutboxEvent]
) -> bool:
    """Tell whether two collected events name different cards."""
    cards = [_card_of(event) for events in (standing, other) for event in events[-1:]]
    return len(cards) == 2 and None not in cards and cards[0] != cards[1]  # noqa: PLR2004 - a pair


def _card_of(event: OutboxEvent) -> object:
    return msgspec.json.decode(event.body)["data"].get("card")


def named_keys(sent: Sequence[OutboxEvent], *, evidence_uri: str) -> set[str]:
    """Give the keys of all objects that the events name."""
    uris = [
        named["uri"]
        for event in sent
        if "manifest" in (data := msgspec.json.decode(event.body)["data"])
        for named in (*data["photos"], data["manifest"])
    ]
    return {uri.removeprefix(f"{evidence_uri}/") for uri in uris}


def find_photo(event: OutboxEvent, kind: PhotoKind, *, evidence_uri: str) -> str | None:
    """Give the key of an event's photo, or None where it names none."""
    data = msgspec.json.decode(event.body)["data"]
    for photo in data.get("photos", ()):
        if photo["kind"] == kind.value:
            base, _, key = str(photo["uri"]).partition(f"{evidence_uri}/")
            return None if base else key or None
    return None
