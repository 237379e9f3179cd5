"""Delivers SQS batches to a function as Lambda's event source mapping does.

moto moves a message to the dead-letter queue as SQS does, but has no redrive task:
`redrive` does what `aws sqs start-message-move-task` does.
"""

import json
from typing import Any, NamedTuple

from kycourier_devkit.emulators.aws.account import AwsAccount
from kycourier_devkit.emulators.lambda_runtime.events import ACCOUNT, REGION
from kycourier_devkit.emulators.running_function import RunningFunction

_BATCH = 10


class Deliveries(NamedTuple):
    """How many messages were delivered, and the bodies of those that were returned."""

    delivered: int
    returned: list[str]


class OrdersQueue:
    """The orders queue and its dead-letter queue."""

    def __init__(self, sqs: Any, *, url: str, dead_letters_url: str) -> None:  # noqa: ANN401 - boto3's
        """`sqs` is a client of the operator, who may do everything with both queues."""
        self._sqs, self._url, self._dead_letters_url = sqs, url, dead_letters_url

    def send(self, *bodies: str) -> None:
        """Sends messages, as the partner's backend does."""
        for body in bodies:
            self._sqs.send_message(QueueUrl=self._url, MessageBody=body)

    def deliver(self, function: RunningFunction, *, polling: Any) -> Deliveries:  # noqa: ANN401 - boto3's
        """Delivers batches until no message is visible.

        A returned message becomes visible at once, not after six minutes as on AWS.

        Args:
            function: The consumer.
            polling: A client with the function's role, which Lambda polls with.
        """
        delivered, returned = 0, list[str]()
        while batch := self._receive(polling):
            event = {"Records": [_build_record(message) for message in batch]}
            response = function.invoke(event)
            failed = {each["itemIdentifier"] for each in response["batchItemFailures"]}
            for message in batch:
                handle = message["ReceiptHandle"]
                if message["MessageId"] in failed:
                    returned.append(message["Body"])
                    self._release(polling, handle)
                else:
                    polling.delete_message(QueueUrl=self._url, ReceiptHandle=handle)
            delivered += len(batch)
        return Deliveries(delivered, returned)

    def dead_letters(self) -> list[str]:
        """Returns the bodies in the dead-letter queue, which keeps them."""
        found = self._sqs.receive_message(
            QueueUrl=self._dead_letters_url,
            MaxNumberOfMessages=_BATCH,
            VisibilityTimeout=0,
        )
        return [message["Body"] for message in found.get("Messages", ())]

    def redrive(self) -> int:
        """Moves all dead letters back to the queue; returns how many."""
        moved = 0
        while True:
            found = self._sqs.receive_message(
                QueueUrl=self._dead_letters_url, MaxNumberOfMessages=_BATCH
            )
            messages = found.get("Messages", ())
            if not messages:
                return moved
            for message in messages:
                self.send(message["Body"])
                self._sqs.delete_message(
                    QueueUrl=self._dead_letters_url,
                    ReceiptHandle=message["ReceiptHandle"],
                )
            moved += len(messages)

    def purge_dead_letters(self) -> None:
        """Deletes all dead letters."""
        self._sqs.purge_queue(QueueUrl=self._dead_letters_url)

    def _receive(self, polling: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - boto3's
        found = polling.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_BATCH,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(found.get("Messages", ()))

    def _release(self, polling: Any, handle: str) -> None:  # noqa: ANN401 - boto3's
        polling.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=0
        )


def _build_record(message: dict[str, Any]) -> dict[str, object]:
    """Builds the event record of a message."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:kycourier-orders",
        "awsRegion": REGION,
    }


def read_events(sqs: Any, url: str) -> list[dict[str, Any]]:  # noqa: ANN401 - boto3's
    """Takes the events that a bus rule has put into a consumer's queue."""
    events: list[dict[str, Any]] = []
    while True:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_BATCH)
        messages = found.get("Messages", ())
        if not messages:
            return events
        for message in messages:
            events.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def disable_trigger(account: AwsAccount) -> None:
    """Disables the event source mapping, which moto would run in Docker."""
    functions = account.client("lambda")
    for trigger in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=trigger["UUID"], Enabled=False)


def subscribe_consumer(account: AwsAccount, bus: str) -> str:
    """Creates a queue and a rule of the bus that fills it; returns the queue's URL."""
    sqs, events = account.client("sqs"), account.client("events")
    url: str = sqs.create_queue(QueueName="consumer")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    rule = {"Name": "consumer", "EventBusName": bus}
    events.put_rule(**rule, EventPattern=json.dumps({"source": ["kycourier"]}))
    target = {"Id": "consumer", "Arn": found["Attributes"]["QueueArn"]}
    events.put_targets(
        Rule=rule["Name"], EventBusName=rule["EventBusName"], Targets=[target]
    )
    return url
