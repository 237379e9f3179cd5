"""The table of the state on DynamoDB: its schema, and fresh ones on a stand-in."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from aws.access import client, new_name, surroundings
from fakes import FakeClock
from kycourier.adapters.aws.client import JsonClient, client_of
from kycourier.adapters.aws.table import Table
from kycourier.adapters.system import SystemClock

EXPIRY = "expires_at"
SCHEMA: Mapping[str, Any] = {
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"}
        for name in ("pk", "part", "entry")
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
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
}


class HeldClock:
    """A store's clock that only the test moves, whatever the stand-in's answers say."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def note(self, date: str | None, *, asked_at: float) -> None:
        """Hear nothing."""

    def now(self) -> datetime:
        return self._clock.now()

    def was_just_set(self) -> bool:
        return True


@cache
def asker_of(url: str) -> JsonClient:
    """Give the service's client that leads to a stand-in; it waits in earnest."""
    return client_of("dynamodb", surroundings(url, clock=SystemClock()))


def make_table(url: str) -> str:
    """Make an empty table; give its name."""
    name, mine = new_name("state"), client("dynamodb", url)
    mine.create_table(TableName=name, **SCHEMA)
    while mine.describe_table(TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        pass
    return name


def open_held(url: str, name: str, clock: FakeClock) -> Table:
    """Open a table by the test's clock."""
    return Table(
        name,
        client=asker_of(url),
        clock=HeldClock(clock),
        monotonic=clock.monotonic,
        pause=clock.sleep,
    )


def overwrite(url: str, name: str, key: str, **attribute: bytes) -> None:
    """Spoil an attribute of what is stored under a key."""
    [(of, content)] = attribute.items()
    client("dynamodb", url).update_item(
        TableName=name,
        Key={"pk": {"S": key}},
        UpdateExpression="SET #of = :content",
        ExpressionAttributeNames={"#of": of},
        ExpressionAttributeValues={":content": {"B": content}},
    )


def items_of(url: str, name: str) -> dict[str, dict[str, Any]]:
    """Give every item of a table by its key."""
    return {
        item["pk"]["S"]: item
        for page in client("dynamodb", url)
        .get_paginator("scan")
        .paginate(TableName=name)
        for item in page["Items"]
    }
