"""What the settings may name on AWS: `dynamodb` and the like."""

# ruff: noqa: PLC0415 - each adapter is imported only when it is chosen

from kycourier.adapters.surroundings import Surroundings
from kycourier.ports import EventSink, EvidenceStore, SecretSource, State, WorkQueue
from kycourier.setting_forms import Place


def open_state(place: Place, around: Surroundings) -> State:
    """Open `dynamodb://table`. Raises StoreUnavailable."""
    from kycourier.adapters.aws.brake import DynamoBrakeStore
    from kycourier.adapters.aws.leases import DynamoLeaseStore
    from kycourier.adapters.aws.orders import DynamoOrderStore
    from kycourier.adapters.aws.table import open_table
    from kycourier.adapters.aws.tickets import DynamoTicketStore

    table = open_table(place.where, around)
    return State(
        tickets=DynamoTicketStore(table),
        leases=DynamoLeaseStore(table),
        orders=DynamoOrderStore(table),
        brakes=DynamoBrakeStore(table),
    )


def open_evidence(place: Place, around: Surroundings, *, state: Place) -> EvidenceStore:  # noqa: ARG001 - its links need no key of ours
    """Open `s3://bucket/prefix`. Raises EvidenceUnavailable."""
    from kycourier.adapters.aws.evidence import open_bucket

    return open_bucket(place, around)


def open_events(place: Place, around: Surroundings) -> EventSink:
    """Open `eventbridge://bus` or `sqs://name`. Raises SinkUnavailable."""
    from kycourier.adapters.aws.events import EventBridgeSink, SqsEventSink

    if place.scheme == "eventbridge":
        return EventBridgeSink(place.where, around)
    return SqsEventSink(place.where, around)


def open_queue(place: Place, around: Surroundings) -> WorkQueue:
    """Open `sqs://name`. Raises StoreUnavailable."""
    from kycourier.adapters.aws.queue import SqsWorkQueue

    return SqsWorkQueue(place.where, around)


def open_secret(place: Place, around: Surroundings) -> SecretSource:
    """Open `aws-secretsmanager://name` or `aws-ssm://name`."""
    from kycourier.adapters.aws.secrets import ParameterSecret, SecretsManagerSecret

    if place.scheme == "aws-ssm":
        return ParameterSecret(place.where, around)
    return SecretsManagerSecret(place.where, around)
