"""What the settings may name on Tencent Cloud: a bucket, a bus and secrets."""

# ruff: noqa: PLC0415 - each adapter is imported only when it is chosen

from kycourier.adapters.surroundings import Surroundings
from kycourier.ports import EventSink, EvidenceStore, SecretSource
from kycourier.setting_forms import Place


def open_evidence(place: Place, around: Surroundings, *, state: Place) -> EvidenceStore:  # noqa: ARG001 - its links need no key of ours
    """Open `cos://bucket-appid/prefix?region=…`. Raises EvidenceUnavailable."""
    from kycourier.adapters.tencent.evidence import open_bucket

    return open_bucket(place, around)


def open_events(place: Place, around: Surroundings) -> EventSink:
    """Open `tencent-eb://bus-id?region=…`. Raises SinkUnavailable."""
    from kycourier.adapters.tencent.events import EventBusSink

    return EventBusSink(place, around)


def open_secret(place: Place, around: Surroundings) -> SecretSource:
    """Open `tencent-ssm://name?region=…`. Raises StoreUnavailable."""
    from kycourier.adapters.tencent.secrets import SsmSecret

    return SsmSecret(place, around)
