"""What the settings may name on AWS: `dynamodb` and the like."""

# ruff: noqa: PLC0415 - each adapter is imported only when it is chosen

from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import StoreUnavailable
from kycourier.ports import EventSink, EvidenceStore, SecretSource, State, WorkQueue
from kycourier.setting_forms import Place


def open_state(_: Place, _around: Surroundings) -> State:
    """Refuse: the tables are not kept there yet. Raises StoreUnavailable."""
    raise StoreUnavailable("not part of this release")


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
