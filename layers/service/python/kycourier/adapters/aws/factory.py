"""Opens the adapters of AWS's URLs: tables, buckets, queues, buses and secrets."""

# ruff: noqa: PLC0415 - each adapter is imported only when it is chosen

from kycourier.adapters.context import AdapterContext
from kycourier.ports import EventSink, EvidenceStore, SecretSource, Stores, WorkQueue
from kycourier.settings.resource_url import ResourceUrl


def open_stores(url: ResourceUrl, context: AdapterContext) -> Stores:
    """Opens `dynamodb://table`. Raises StoreUnavailableError."""
    from kycourier.adapters.aws.breaker import DynamoBreakerStore
    from kycourier.adapters.aws.dynamodb.table import open_table
    from kycourier.adapters.aws.leases import DynamoLeaseStore
    from kycourier.adapters.aws.orders import DynamoOrderStore
    from kycourier.adapters.aws.tickets import DynamoTicketStore

    table = open_table(url.rest, context)
    return Stores(
        tickets=DynamoTicketStore(table),
        leases=DynamoLeaseStore(table),
        orders=DynamoOrderStore(table),
        breakers=DynamoBreakerStore(table),
    )


def open_evidence(
    url: ResourceUrl,
    context: AdapterContext,
    *,
    state: ResourceUrl,  # noqa: ARG001 - S3 signs links itself
) -> EvidenceStore:
    """Opens `s3://bucket/prefix`. Raises EvidenceUnavailableError."""
    from kycourier.adapters.aws.evidence import open_bucket

    return open_bucket(url, context)


def open_events(url: ResourceUrl, context: AdapterContext) -> EventSink:
    """Opens `eventbridge://bus` or `sqs://name`. Raises SinkUnavailableError."""
    from kycourier.adapters.aws.events import EventBridgeSink, SqsEventSink

    if url.scheme == "eventbridge":
        return EventBridgeSink(url.rest, context)
    return SqsEventSink(url.rest, context)


def open_queue(url: ResourceUrl, context: AdapterContext) -> WorkQueue:
    """Opens `sqs://name`. Raises StoreUnavailableError."""
    from kycourier.adapters.aws.queue import SqsWorkQueue

    return SqsWorkQueue(url.rest, context)


def open_secret(url: ResourceUrl, context: AdapterContext) -> SecretSource:
    """Opens `aws-secretsmanager://name` or `aws-ssm://name`."""
    from kycourier.adapters.aws.secrets import ParameterSecret, SecretsManagerSecret

    if url.scheme == "aws-ssm":
        return ParameterSecret(url.rest, context)
    return SecretsManagerSecret(url.rest, context)
