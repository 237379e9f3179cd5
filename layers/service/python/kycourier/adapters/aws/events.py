"""Publishes events to an EventBridge bus or an SQS queue, and checks every entry.

Both services accept up to ten entries per call, and respond with 200 even if they
refused some of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from kycourier.adapters.aws.client import shared_client
from kycourier.adapters.aws.errors import explain
from kycourier.adapters.aws.queue import FIFO, find_queue
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.http.api_calls import prove, run
from kycourier.core.errors import SinkUnavailableError
from kycourier.core.orders.record import OutboxEvent
from kycourier.core.redaction import repr_only, scrub_traceback

MAX_ENTRIES = 10
MAX_BYTES = 256 * 1024 - 1  # of a call, which must stay below 256 KB
SOURCE = "kycourier"
Entry = Mapping[str, Any]
PutEntries = Callable[[Sequence[Entry]], Sequence[Entry]]


class EventBridgeSink:
    """The bus `eventbridge://name`; the whole event is an entry's Detail."""

    def __init__(self, bus: str, context: AdapterContext) -> None:
        """Checks that the bus exists. Raises SinkUnavailableError."""
        self._bus, self._client = bus, shared_client("events", context)
        prove(
            lambda: self._client.call("DescribeEventBus", Name=bus),
            action="events:DescribeEventBus",
            kind="bus",
            explain=explain,
            failure=SinkUnavailableError,
        )

    @scrub_traceback
    def publish(self, events: Sequence[OutboxEvent]) -> None:
        """Publishes all, in order. Raises SinkUnavailableError if any was refused."""
        entries = [self._build(event) for event in events]
        for batch in _split(entries, MAX_ENTRIES):
            _send(batch, self._put)

    def _build(self, event: OutboxEvent) -> "_SizedEntry":
        entry = {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": event.type,
            "Detail": event.body,
        }
        return _SizedEntry(entry, _size_of(SOURCE, event.type, event.body))

    def _put(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Puts entries, and returns those that were not accepted."""
        response = run(
            lambda: self._client.call("PutEvents", Entries=entries),
            action="events:PutEvents",
            kind="bus",
            explain=explain,
            failure=SinkUnavailableError,
        )
        results = response.members.get("Entries", ())
        accepted = {at for at, each in enumerate(results) if each.get("EventId")}
        return [entry for at, entry in enumerate(entries) if at not in accepted]


class SqsEventSink:
    """The queue `sqs://name`; each message is one event, byte for byte."""

    def __init__(self, name: str, context: AdapterContext) -> None:
        """Finds the queue. Raises SinkUnavailableError."""
        self._is_fifo, self._client = name.endswith(FIFO), shared_client("sqs", context)
        self._url = find_queue(name, self._client, failure=SinkUnavailableError)

    @scrub_traceback
    def publish(self, events: Sequence[OutboxEvent]) -> None:
        """Publishes all, in order.

        A `.fifo` queue gets one event per call, so that none overtakes a refused one.

        Raises:
            SinkUnavailableError: an event was refused.
        """
        entries = [self._build(event, at=number) for number, event in enumerate(events)]
        for batch in _split(entries, 1 if self._is_fifo else MAX_ENTRIES):
            _send(batch, self._put)

    def _build(self, event: OutboxEvent, *, at: int) -> "_SizedEntry":
        texts = {"id": event.id, "type": event.type}
        if event.traceparent:
            texts["traceparent"] = event.traceparent
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
                "MessageGroupId": event.source or SOURCE,
                "MessageDeduplicationId": event.id,
            }
        kinds = ["String"] * len(texts)
        return _SizedEntry(entry, _size_of(event.body, *texts, *texts.values(), *kinds))

    def _put(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Sends messages, and returns those that were not accepted."""
        response = run(
            lambda: self._client.call(
                "SendMessageBatch", QueueUrl=self._url, Entries=entries
            ),
            action="sqs:SendMessage",
            kind="queue",
            explain=explain,
            failure=SinkUnavailableError,
        )
        accepted = {each.get("Id") for each in response.members.get("Successful", ())}
        return [entry for entry in entries if entry["Id"] not in accepted]


@repr_only("size_bytes")
class _SizedEntry(Struct, frozen=True):
    """An entry and its size as the services count it: the bytes of all its texts."""

    entry: Entry
    size_bytes: int


def _size_of(*texts: str) -> int:
    size_bytes = sum(len(text.encode("utf-8")) for text in texts)
    if size_bytes > MAX_BYTES:
        raise SinkUnavailableError("too large")
    return size_bytes


def _split(entries: Sequence[_SizedEntry], max_entries: int) -> Iterator[list[Entry]]:
    """Splits entries into calls, in order."""
    batch: list[Entry] = []
    total = 0
    for each in entries:
        if batch and (len(batch) == max_entries or total + each.size_bytes > MAX_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(each.entry)
        total += each.size_bytes
    if batch:
        yield batch


def _send(batch: Sequence[Entry], put: PutEntries) -> None:
    """Puts a batch, and once more the entries that were not accepted.

    Raises:
        SinkUnavailableError: an entry was refused twice.
    """
    refused = put(batch)
    if refused and put(refused):
        raise SinkUnavailableError("an entry was refused")
