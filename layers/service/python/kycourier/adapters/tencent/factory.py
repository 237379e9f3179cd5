"""Opens the adapters of Tencent Cloud's URLs: a bucket, a bus and secrets."""

# ruff: noqa: PLC0415 - each adapter is imported only when it is chosen

from kycourier.adapters.context import AdapterContext
from kycourier.ports import EventSink, EvidenceStore, SecretSource
from kycourier.settings.resource_url import ResourceUrl


def open_evidence(
    url: ResourceUrl,
    context: AdapterContext,
    *,
    state: ResourceUrl,  # noqa: ARG001 - COS signs links itself
) -> EvidenceStore:
    """Opens `cos://bucket-appid/prefix?region=…`. Raises EvidenceUnavailableError."""
    from kycourier.adapters.tencent.evidence import open_bucket

    return open_bucket(url, context)


def open_events(url: ResourceUrl, context: AdapterContext) -> EventSink:
    """Opens `tencent-eb://bus-id?region=…`. Raises SinkUnavailableError."""
    from kycourier.adapters.tencent.events import EventBusSink

    return EventBusSink(url, context)


def open_secret(url: ResourceUrl, context: AdapterContext) -> SecretSource:
    """Opens `tencent-ssm://name?region=…`. Raises StoreUnavailableError."""
    from kycourier.adapters.tencent.secrets import SsmSecret

    return SsmSecret(url, context)
