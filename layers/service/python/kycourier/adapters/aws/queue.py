"""Delayed work in an SQS queue, which delays a message by 15 minutes at most."""

import math
from datetime import timedelta

from kycourier.adapters.aws.calls import run
from kycourier.adapters.aws.client import JsonClient, client_of
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import KycourierError, StoreUnavailable
from kycourier.core.message import build_reminder
from kycourier.core.models import Document, OrderKey

MOST_DELAY = timedelta(seconds=900)
FIFO = ".fifo"


class SqsWorkQueue:
    """The queue `sqs://name`; its consumer is the function that collects."""

    def __init__(self, name: str, around: Surroundings) -> None:
        """Find the queue. Raises StoreUnavailable."""
        if name.endswith(FIFO):
            raise StoreUnavailable("a .fifo queue cannot delay a message")
        self._client = client_of("sqs", around)
        self._url = find_queue(name, self._client, failure=StoreUnavailable)

    def enqueue(self, order: OrderKey, delay: timedelta) -> None:
        """Deliver a message for the order after `delay`, not before.

        What is further ahead than a queue can hold is left to the sweep. Raises
        StoreUnavailable.
        """
        if delay > MOST_DELAY:
            return
        run(
            lambda: self._client.ask(
                "SendMessage",
                QueueUrl=self._url,
                MessageBody=build_reminder(order, Document.BANK_CARD),
                DelaySeconds=max(0, math.ceil(delay.total_seconds())),
            ),
            action="sqs:SendMessage",
            kind="queue",
            failure=StoreUnavailable,
        )


def find_queue(name: str, client: JsonClient, *, failure: type[KycourierError]) -> str:
    """Give the URL of a queue in this region, as AWS knows it. Raises `failure`."""
    found = run(
        lambda: client.ask("GetQueueUrl", QueueName=name),
        action="sqs:GetQueueUrl",
        kind="queue",
        failure=failure,
    )
    url = found.members.get("QueueUrl")
    if not isinstance(url, str):
        raise failure("unreadable answer")
    return url
