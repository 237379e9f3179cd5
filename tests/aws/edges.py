"""AWS's edges in the tests: a new place for each, and the adapter on it."""

from aws.access import REGION, client, new_name, surroundings
from kycourier.adapters.aws import places
from kycourier.adapters.object_store import ObjectEvidenceStore
from kycourier.ports import EventSink, SecretSource, WorkQueue
from kycourier.setting_forms import Place

STATE = Place("dynamodb", "table")


def new_bucket(url: str) -> str:
    name = new_name("bucket")
    where = {"LocationConstraint": REGION}
    client("s3", url).create_bucket(Bucket=name, CreateBucketConfiguration=where)
    return name


def new_bus(url: str) -> str:
    name = new_name("bus")
    client("events", url).create_event_bus(Name=name)
    return name


def new_queue(url: str, *, suffix: str = "") -> str:
    name = new_name("queue") + suffix
    attributes = {"FifoQueue": "true"} if suffix else {}
    client("sqs", url).create_queue(QueueName=name, Attributes=attributes)
    return name


def open_evidence(
    url: str, where: str, *, left: float | None = None
) -> ObjectEvidenceStore:
    """Open `s3://where`."""
    around = surroundings(url, left=left)
    opened = places.open_evidence(Place("s3", where), around, state=STATE)
    assert isinstance(opened, ObjectEvidenceStore)
    return opened


def open_sink(url: str, scheme: str, where: str) -> EventSink:
    return places.open_events(Place(scheme, where), surroundings(url))


def open_queue(url: str, name: str) -> WorkQueue:
    return places.open_queue(Place("sqs", name), surroundings(url))


def open_secret(url: str, scheme: str, name: str) -> SecretSource:
    return places.open_secret(Place(scheme, name), surroundings(url))


def read_queue(url: str, name: str) -> list[dict]:
    """Take all messages of a queue, with their attributes."""
    sqs = client("sqs", url)
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
