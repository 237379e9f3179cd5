"""Creates buckets, buses and queues on an AWS emulator, and adapters on them."""

from time import sleep

from kycourier.adapters.aws import factory
from kycourier.ports import EventSink, EvidenceStore, SecretSource, WorkQueue
from kycourier.settings.resource_url import ResourceUrl
from support.aws.clients import REGION, aws_client, aws_context, new_name

_POLLS, _POLL_SECONDS = 300, 0.2
STATE = ResourceUrl("dynamodb", "table")


def new_bucket(url: str) -> str:
    name = new_name("bucket")
    where = {"LocationConstraint": REGION}
    aws_client("s3", url).create_bucket(Bucket=name, CreateBucketConfiguration=where)
    return name


def new_bus(url: str) -> str:
    name = new_name("bus")
    aws_client("events", url).create_event_bus(Name=name)
    return name


def new_queue(url: str, *, suffix: str = "") -> str:
    name = new_name("queue") + suffix
    attributes = {"FifoQueue": "true"} if suffix else {}
    aws_client("sqs", url).create_queue(QueueName=name, Attributes=attributes)
    return name


def open_evidence(url: str, where: str) -> EvidenceStore:
    resource = ResourceUrl("s3", where)
    return factory.open_evidence(resource, aws_context(url), state=STATE)


def open_sink(url: str, scheme: str, where: str) -> EventSink:
    return factory.open_events(ResourceUrl(scheme, where), aws_context(url))


def open_queue(url: str, name: str) -> WorkQueue:
    return factory.open_queue(ResourceUrl("sqs", name), aws_context(url))


def open_secret(url: str, scheme: str, name: str) -> SecretSource:
    return factory.open_secret(ResourceUrl(scheme, name), aws_context(url))


def wait_for_messages(url: str, name: str) -> list[dict]:
    """Receive all messages once there are some: they may be delayed for seconds."""
    for _ in range(_POLLS):
        if found := read_queue(url, name):
            return found
        sleep(_POLL_SECONDS)
    raise AssertionError(f"no message came to {name}")


def read_queue(url: str, name: str) -> list[dict]:
    """Receive all messages of a queue, with their attributes."""
    sqs = aws_client("sqs", url)
    where = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found: list[dict] = []
    while True:
        page = sqs.receive_message(
            QueueUrl=where,
            MaxNumberOfMessages=10,
            VisibilityTimeout=600,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        ).get("Messages")
        if not page:
            return found
        found += page
