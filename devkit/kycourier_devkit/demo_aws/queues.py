"""The queue as Lambda works on it: batches in, what was not done back, dead letters.

moto moves a message to the dead-letter queue as SQS does, but knows no redrive task:
`redrive` does what `aws sqs start-message-move-task` does.
"""

import json
from typing import Any

from kycourier_devkit.demo_aws.account import Account
from kycourier_devkit.functions.running import RunningFunction
from kycourier_devkit.functions.trigger_events import ACCOUNT, REGION
from kycourier_devkit.stand_ins.stack import Stack

MOST_RECEIVES = 5
_BATCH = 10


class OrdersQueue:
    """The orders' queue and its dead-letter queue."""

    def __init__(self, sqs: Any, *, url: str, dead_letters_url: str) -> None:  # noqa: ANN401 - boto3's
        """`sqs` is the client of whoever sends and looks after the queues."""
        self._sqs, self._url, self._dead_letters_url = sqs, url, dead_letters_url

    def send(self, *bodies: str) -> None:
        """Send messages as the partner's backend does."""
        for body in bodies:
            self._sqs.send_message(QueueUrl=self._url, MessageBody=body)

    def deliver(self, function: RunningFunction, *, polling: Any) -> list[int]:  # noqa: ANN401 - boto3's
        """Deliver until nothing is visible; give how many each batch returned.

        `polling` is a client with the function's own rights, which Lambda polls with.
        What is returned is visible again at once: nobody waits six minutes here.
        """
        returned = []
        while batch := self._receive(polling):
            event = {"Records": [_build_record(message) for message in batch]}
            answer = function.invoke(event)
            failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            for message in batch:
                handle = message["ReceiptHandle"]
                if message["MessageId"] in failed:
                    self._show_again(polling, handle)
                else:
                    polling.delete_message(QueueUrl=self._url, ReceiptHandle=handle)
            returned.append(len(failed))
        return returned

    def dead_letters(self) -> list[str]:
        """Look at the bodies in the dead-letter queue; they stay there."""
        found = self._sqs.receive_message(
            QueueUrl=self._dead_letters_url,
            MaxNumberOfMessages=_BATCH,
            VisibilityTimeout=0,
        )
        return [message["Body"] for message in found.get("Messages", ())]

    def redrive(self) -> int:
        """Move all dead letters back; give how many."""
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

    def drop_dead_letters(self) -> None:
        """Give up what nobody can mend."""
        self._sqs.purge_queue(QueueUrl=self._dead_letters_url)

    def _receive(self, polling: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - boto3's
        found = polling.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_BATCH,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(found.get("Messages", ()))

    def _show_again(self, polling: Any, handle: str) -> None:  # noqa: ANN401 - boto3's
        polling.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=0
        )


def _build_record(message: dict[str, Any]) -> dict[str, object]:
    """Build the record that Lambda makes of a message."""
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
    """Take what a rule of the bus has put into a consumer's queue; give the events."""
    events: list[dict[str, Any]] = []
    while True:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_BATCH)
        messages = found.get("Messages", ())
        if not messages:
            return events
        for message in messages:
            events.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def take_over_queue(account: Account) -> None:
    """Switch the trigger off: moto would work on it by Docker, we do it ourselves."""
    functions = account.client("lambda")
    for trigger in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=trigger["UUID"], Enabled=False)


def let_consumer_listen(account: Account, stack: Stack) -> str:
    """Make a consumer's queue and a rule of the bus that fills it; give its URL."""
    sqs, events = account.client("sqs"), account.client("events")
    url: str = sqs.create_queue(QueueName="consumer")["QueueUrl"]
    named = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    rule = {"Name": "consumer", "EventBusName": stack.outputs["EventBusName"]}
    events.put_rule(**rule, EventPattern=json.dumps({"source": ["kycourier"]}))
    target = {"Id": "consumer", "Arn": named["Attributes"]["QueueArn"]}
    events.put_targets(
        Rule=rule["Name"], EventBusName=rule["EventBusName"], Targets=[target]
    )
    return url
