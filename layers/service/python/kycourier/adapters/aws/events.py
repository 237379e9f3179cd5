"""Events on an EventBridge bus or in an SQS queue, each entry's answer read.

Both services take up to ten entries a call, and may answer 200 when they took a few.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from kycourier.adapters.aws.calls import prove, run
from kycourier.adapters.aws.client import client_of
from kycourier.adapters.aws.queue import FIFO, find_queue
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import SinkUnavailable, forgetful
from kycourier.core.hidden import shows
from kycourier.core.order_record import OutboxEvent

MOST_ENTRIES = 10
MOST_BYTES = 256 * 1024 - 1  # of a call, which is to stay below 256 KB
SOURCE = "kycourier"
Entry = Mapping[str, Any]
Send = Callable[[Sequence[Entry]], Sequence[Entry]]


class EventBridgeSink:
    """The bus `eventbridge://name`; the whole event is an entry's Detail."""

    def __init__(self, bus: str, around: Surroundings) -> None:
        """Look whether the bus is there. Raises SinkUnavailable."""
        self._bus, self._client = bus, client_of("events", around)
        prove(
            lambda: self._client.ask("DescribeEventBus", Name=bus),
            action="events:DescribeEventBus",
            kind="bus",
            failure=SinkUnavailable,
        )

    @forgetful
    def publish(self, events: Sequence[OutboxEvent]) -> None:
        """Hand over all, in order. Raises SinkUnavailable if any was not taken."""
        entries = [self._build(event) for event in events]
        for batch in _split(entries, MOST_ENTRIES):
            _send(batch, self._put)

    def _build(self, event: OutboxEvent) -> "_Weighed":
        _read(event)
        entry = {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": event.type,
            "Detail": event.body,
        }
        return _Weighed(entry, _weigh(SOURCE, event.type, event.body))

    def _put(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Put entries, and give those that were not taken."""
        answer = run(
            lambda: self._client.ask("PutEvents", Entries=entries),
            action="events:PutEvents",
            kind="bus",
            failure=SinkUnavailable,
        )
        answers = answer.members.get("Entries", ())
        taken = {at for at, each in enumerate(answers) if each.get("EventId")}
        return [entry for at, entry in enumerate(entries) if at not in taken]


class SqsEventSink:
    """The queue `sqs://name`; one message is one event, to the byte."""

    def __init__(self, name: str, around: Surroundings) -> None:
        """Find the queue. Raises SinkUnavailable."""
        self._is_fifo, self._client = name.endswith(FIFO), client_of("sqs", around)
        self._url = find_queue(name, self._client, failure=SinkUnavailable)

    @forgetful
    def publish(self, events: Sequence[OutboxEvent]) -> None:
        """Hand over all, in order. Raises SinkUnavailable if any was not taken.

        A `.fifo` queue gets one after the other, so that none overtakes a failed one.
        """
        entries = [self._build(event, at=number) for number, event in enumerate(events)]
        for batch in _split(entries, 1 if self._is_fifo else MOST_ENTRIES):
            _send(batch, self._put)

    def _build(self, event: OutboxEvent, *, at: int) -> "_Weighed":
        envelope = _read(event)
        texts = {"id": event.id, "type": event.type}
        if envelope.traceparent:
            texts["traceparent"] = envelope.traceparent
        entry = {
            "Id": str(at),
            "MessageBody": event.body,
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": text}
                for name, text in texts.items()
            },
        }
        if self._is_fifo:
            entry |= {
                "MessageGroupId": envelope.source or SOURCE,
                "MessageDeduplicationId": event.id,
            }
        kinds = ["String"] * len(texts)
        return _Weighed(entry, _weigh(event.body, *texts, *texts.values(), *kinds))

    def _put(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Send messages, and give those that were not taken."""
        answer = run(
            lambda: self._client.ask(
                "SendMessageBatch", QueueUrl=self._url, Entries=entries
            ),
            action="sqs:SendMessage",
            kind="queue",
            failure=SinkUnavailable,
        )
        taken = {each.get("Id") for each in answer.members.get("Successful", ())}
        return [entry for entry in entries if entry["Id"] not in taken]


class _Envelope(Struct):
    source: str = ""
    traceparent: str | None = None


@shows("size_bytes")
class _Weighed(Struct, frozen=True):
    """An entry and its size as the services count: bytes of all its texts."""

    entry: Entry
    size_bytes: int


def _read(event: OutboxEvent) -> _Envelope:
    """Read what a sink must know of an event. Raises SinkUnavailable."""
    try:
        return msgspec.json.decode(event.body.encode("utf-8"), type=_Envelope)
    except (UnicodeEncodeError, msgspec.DecodeError):
        pass  # raised below: the foreign error holds the text
    raise SinkUnavailable("event is no JSON object")


def _weigh(*texts: str) -> int:
    size_bytes = sum(len(text.encode("utf-8")) for text in texts)
    if size_bytes > MOST_BYTES:
        raise SinkUnavailable("too large")
    return size_bytes


def _split(entries: Sequence[_Weighed], most: int) -> Iterator[list[Entry]]:
    """Cut into calls, in order."""
    batch: list[Entry] = []
    total = 0
    for each in entries:
        if batch and (len(batch) == most or total + each.size_bytes > MOST_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(each.entry)
        total += each.size_bytes
    if batch:
        yield batch


def _send(batch: Sequence[Entry], put: Send) -> None:
    """Put a batch, and once more what was not taken. Raises SinkUnavailable."""
    left = put(batch)
    if left and put(left):
        raise SinkUnavailable("an entry was not taken")
