"""Queues delayed work in SQS, which delays a message by 15 minutes at most."""

import math
from datetime import timedelta

from kycourier.adapters.aws.client import JsonClient, shared_client
from kycourier.adapters.aws.errors import explain
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.http.api_calls import UNREADABLE, run
from kycourier.core.errors import KycourierError, StoreUnavailableError
from kycourier.core.orders.order_request import build_reminder
from kycourier.core.orders.record import OrderKey
from kycourier.core.timing import SQS_DELAY_MAX

FIFO = ".fifo"


class SqsWorkQueue:
    """The queue `sqs://name`, which triggers the function that collects results."""

    def __init__(self, name: str, context: AdapterContext) -> None:
        """Finds the queue. Raises StoreUnavailableError."""
        if name.endswith(FIFO):
            raise StoreUnavailableError("a .fifo queue cannot delay a message")
        self._client = shared_client("sqs", context)
        self._url = find_queue(name, self._client, failure=StoreUnavailableError)

    def enqueue(self, order: OrderKey, delay: timedelta) -> None:
        """Delivers a message for the order after `delay`, not earlier.

        Delays above SQS_DELAY_MAX are left to the sweep.

        Raises:
            StoreUnavailableError: SQS failed.
        """
        if delay > SQS_DELAY_MAX:
            return
        run(
            lambda: self._client.call(
                "SendMessage",
                QueueUrl=self._url,
                MessageBody=build_reminder(order),
                DelaySeconds=max(0, math.ceil(delay.total_seconds())),
            ),
            action="sqs:SendMessage",
            kind="queue",
            explain=explain,
            failure=StoreUnavailableError,
        )


def find_queue(name: str, client: JsonClient, *, failure: type[KycourierError]) -> str:
    """Returns the URL of a queue in the client's region. Raises `failure`."""
    response = run(
        lambda: client.call("GetQueueUrl", QueueName=name),
        action="sqs:GetQueueUrl",
        kind="queue",
        explain=explain,
        failure=failure,
    )
    url = response.members.get("QueueUrl")
    if not isinstance(url, str):
        raise failure(UNREADABLE)
    return url
