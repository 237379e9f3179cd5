"""The schema of the DynamoDB state table, and new tables on an emulator."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from kycourier.adapters.aws.client import JsonClient, shared_client
from kycourier.adapters.aws.dynamodb.table import Table
from kycourier.adapters.system import SystemClock
from kycourier.core.orders.record import OrderKey
from support.aws.clients import aws_client, aws_context, new_name
from support.fakes import FakeClock

EXPIRY = "expires_at"
SCHEMA: Mapping[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"}
        for name in ("pk", "part", "entry", "ended", "found")
    ],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "due",
            "KeySchema": [
                {"AttributeName": "part", "KeyType": "HASH"},
                {"AttributeName": "entry", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
        {
            "IndexName": "ended",
            "KeySchema": [
                {"AttributeName": "ended", "KeyType": "HASH"},
                {"AttributeName": "found", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
    ],
    "BillingMode": "PAY_PER_REQUEST",
}


class FixedStoreClock:
    """A store clock that only the test moves; Date headers do not change it."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def observe(self, date: str | None, *, sent_at: float) -> None:
        """Ignore the response's date."""

    def now(self) -> datetime:
        return self._clock.now()

    def is_fresh(self) -> bool:
        return True


@cache
def client_for(url: str) -> JsonClient:
    """Return the service's own client for an emulator; its pauses are real."""
    return shared_client("dynamodb", aws_context(url, clock=SystemClock()))


def make_table(url: str) -> str:
    """Create an empty table and return its name."""
    name, client = new_name("state"), aws_client("dynamodb", url)
    client.create_table(TableName=name, **SCHEMA)
    while client.describe_table(TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        pass
    return name


def open_table(url: str, name: str, clock: FakeClock) -> Table:
    """Open a table that uses the test's clock."""
    return Table(
        name,
        client=client_for(url),
        clock=FixedStoreClock(clock),
        monotonic=clock.monotonic,
        pause=clock.sleep,
    )


def overwrite(url: str, name: str, key: str, **attribute: bytes) -> None:
    """Replace an attribute of the item with this key."""
    [(of, content)] = attribute.items()
    aws_client("dynamodb", url).update_item(
        TableName=name,
        Key={"pk": {"S": key}},
        UpdateExpression="SET #of = :content",
        ExpressionAttributeNames={"#of": of},
        ExpressionAttributeValues={":content": {"B": content}},
    )


def forget_index(url: str, name: str, order: OrderKey) -> None:
    """Remove the attributes by which an ended order is found."""
    aws_client("dynamodb", url).update_item(
        TableName=name,
        Key={"pk": {"S": f"order/{order.app_id}/{order.order_no}"}},
        UpdateExpression="REMOVE #ended, #found",
        ExpressionAttributeNames={"#ended": "ended", "#found": "found"},
    )


def items_of(url: str, name: str) -> dict[str, dict[str, Any]]:
    """Return every item of a table by its key."""
    return {
        item["pk"]["S"]: item
        for page in aws_client("dynamodb", url)
        .get_paginator("scan")
        .paginate(TableName=name)
        for item in page["Items"]
    }
