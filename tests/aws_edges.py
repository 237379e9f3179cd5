"""What the tests of AWS's edges share: surroundings, and a new place for each test."""

from functools import cache
from itertools import count
from uuid import uuid4

from fakes import FakeClock
from kycourier.adapters.aws import places
from kycourier.adapters.object_store import ObjectEvidenceStore
from kycourier.adapters.surroundings import Surroundings
from kycourier.ports import EventSink, SecretSource, WorkQueue
from kycourier.setting_forms import Place
from stand_ins import REGION, aws_environ
from stand_ins import client as make_client

STATE = Place("dynamodb", "table")
_numbers = count()
client = cache(make_client)


def surroundings(url: str, *, left: float | None = None, **more: str) -> Surroundings:
    """Lead an adapter to a stand-in; `left` are the invocation's seconds."""
    environ = {**aws_environ(url), **more}
    around = {} if left is None else {"seconds_left": lambda: left}
    return Surroundings(clock=FakeClock(), environ=environ, **around)


def new_name(kind: str) -> str:
    """Name a place that no other test has, on this stand-in or another."""
    return f"{kind}-{next(_numbers)}-{uuid4().hex[:8]}"


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
