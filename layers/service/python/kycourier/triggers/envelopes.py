"""Finds orders in the envelopes that queues, topics and buses put around them.

SQS and CKafka batches, a list of SQS records (EventBridge Pipes), SNS notifications and
EventBridge events, also one inside another.
"""

from collections.abc import Mapping

from msgspec import Struct

from kycourier.core.errors import ApiProblemError
from kycourier.core.events.cloudevents import parse_traceparent
from kycourier.core.orders.order_request import parse_body
from kycourier.core.redaction import repr_only

_BUS = "detail-type"  # in every event of EventBridge
_MAX_ENVELOPES = 3  # EventBridge in SNS in SQS

Members = Mapping[str, object]


@repr_only("id")
class Message(Struct, frozen=True):
    """One record of a batch. `id` is None if the trigger only retries whole batches."""

    id: str | None
    body: bytes
    traceparent: str | None = None


def parse_batch(event: object) -> tuple[list[Message], int] | None:
    """Parses a batch of SQS or CKafka.

    Returns:
        Its messages, and how many records are neither; None if it is no batch of
        theirs.
    """
    records = event.get("Records") if isinstance(event, dict) else event
    if not isinstance(records, list):
        return None
    parsed = [_parse_record(record) for record in records]
    messages = [message for message in parsed if message is not None]
    if records and not messages:
        return None
    return messages, len(records) - len(messages)


def parse_notification(event: object) -> tuple[Members, str | None]:
    """Parses an event that SNS or EventBridge sends to a function by itself.

    Both take any return for success, and retry what raises.

    Returns:
        The members inside the envelopes, and the `traceparent`.

    Raises:
        ApiProblemError: it is neither, or holds no JSON object.
    """
    records = event.get("Records") if isinstance(event, dict) else None
    record = records[0] if isinstance(records, list) and len(records) == 1 else None
    sns = record.get("Sns") if isinstance(record, dict) else None
    if isinstance(sns, dict):
        traceparent = _find_traceparent(sns.get("MessageAttributes"), "Value")
        return unwrap(parse_body(_encode(sns.get("Message")))), traceparent
    if isinstance(event, dict) and _BUS in event:
        return unwrap(event), None
    raise ApiProblemError("bad_envelope")


def unwrap(members: Members) -> Members:
    """Returns what is inside the envelopes of SNS and EventBridge.

    Raises:
        ApiProblemError: an envelope holds no JSON object.
    """
    for _ in range(_MAX_ENVELOPES):
        inner = members.get("Message")
        if members.get("Type") == "Notification" and isinstance(inner, str):
            members = parse_body(_encode(inner))
        elif _BUS in members:
            detail = members.get("detail")
            if not isinstance(detail, dict):
                raise ApiProblemError("bad_envelope")
            members = detail
    return members


def _parse_record(record: object) -> Message | None:
    """Parses a record of SQS or CKafka; returns None if it is neither."""
    if not isinstance(record, dict):
        return None
    if "Ckafka" in record:
        kafka = record["Ckafka"]
        body = kafka.get("msgBody") if isinstance(kafka, dict) else None
        return Message(None, _encode(body))
    identity = record.get("messageId")
    if isinstance(identity, str) and identity:
        attributes = record.get("messageAttributes")
        traceparent = _find_traceparent(attributes, "stringValue")
        return Message(identity, _encode(record.get("body")), traceparent)
    return None


def _encode(body: object) -> bytes:
    """Returns a record's text; anything else counts as empty."""
    return body.encode(errors="surrogatepass") if isinstance(body, str) else b""


def _find_traceparent(attributes: object, value: str) -> str | None:
    named = attributes.get("traceparent") if isinstance(attributes, dict) else None
    return parse_traceparent(named.get(value)) if isinstance(named, dict) else None
