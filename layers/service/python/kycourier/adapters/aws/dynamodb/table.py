"""Calls a DynamoDB table: consistent reads, conditional writes and index queries.

A write's response may be lost, and the client then repeats the write. So each write
stores a unique marker; a repeated write that finds its own marker has succeeded.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kycourier.adapters.aws.client import JsonClient, shared_client
from kycourier.adapters.aws.dynamodb.clock import DateClock, StoreClock
from kycourier.adapters.aws.dynamodb.expressions import Attributes, Expressions
from kycourier.adapters.aws.dynamodb.items import Item, Value, to_wire
from kycourier.adapters.aws.errors import AwsResponse, explain
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.http.api_calls import CallFailedError, run
from kycourier.adapters.system import draw_marker
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.timing import DYNAMODB_BATCH_PAUSE_SECONDS

KEY = "pk"
MARKER = "writer"
MAX_TRIES = 5  # after concurrent writes, or for unprocessed keys
_BATCH = 100  # the most keys of one BatchGetItem
_CONDITION_FAILED = "ConditionalCheckFailedException"


def open_table(name: str, context: AdapterContext) -> "Table":
    """Opens a table with the store's clock. Raises StoreUnavailableError."""
    return Table(
        name,
        client=shared_client("dynamodb", context),
        clock=DateClock(context.clock),
        monotonic=context.clock.monotonic,
        pause=context.clock.sleep,
    )


class Table:
    """One table of DynamoDB; threads may share it."""

    def __init__(
        self,
        name: str,
        *,
        client: JsonClient,
        clock: StoreClock,
        monotonic: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        """Reads once, to check table and permission. Raises StoreUnavailableError."""
        self._name, self._client = name, client
        self._clock, self._monotonic, self._pause = clock, monotonic, pause
        self.get("opening")

    def now(self) -> datetime:
        """Returns the store's clock, aware UTC. Raises StoreUnavailableError."""
        return self._clock.now()

    def has_fresh_clock(self) -> bool:
        """Checks whether a response has just set the clock."""
        return self._clock.is_fresh()

    def get(self, key: str) -> Item | None:
        """Reads an item, consistently. Raises StoreUnavailableError."""
        response = self.call("GetItem", Key=_key(key), ConsistentRead=True)
        return Item(response["Item"]) if "Item" in response else None

    def get_many(self, keys: Sequence[str], *, names: Sequence[str]) -> list[Item]:
        """Reads the items that exist, consistently, in any order.

        Args:
            keys: Their keys.
            names: The attributes to read besides the key.

        Raises:
            StoreUnavailableError: DynamoDB failed.
        """
        placeholders = {f"#{at}": name for at, name in enumerate((KEY, *names))}
        query = {
            "ConsistentRead": True,
            "ProjectionExpression": ", ".join(placeholders),
            "ExpressionAttributeNames": placeholders,
        }
        items = []
        for at in range(0, len(keys), _BATCH):
            batch = [_key(key) for key in keys[at : at + _BATCH]]
            items += self._get_batch({**query, "Keys": batch})
        return items

    def write(self, key: str, attributes: Attributes, *, expected: Attributes) -> bool:
        """Sets attributes if the stored ones are as expected.

        The item is created if it is absent and `expected` allows that.

        Args:
            key: The item's key.
            attributes: The new values; None removes an attribute.
            expected: The stored values; None means absent.

        Returns:
            Whether it was written; False if the item is not as expected.

        Raises:
            StoreUnavailableError: DynamoDB failed.
        """
        return self.write_or_read(key, attributes, expected=expected) is None

    def write_or_read(
        self, key: str, attributes: Attributes, *, expected: Attributes
    ) -> Item | None:
        """Writes as `write` does; returns the item if it is not as expected.

        An absent item is returned without attributes.

        Raises:
            StoreUnavailableError: DynamoDB failed.
        """
        marker = draw_marker()
        expressions = Expressions()
        response = self.call(
            "UpdateItem",
            Key=_key(key),
            UpdateExpression=expressions.update({**attributes, MARKER: marker}),
            ConditionExpression=expressions.condition(expected),
            ExpressionAttributeNames=expressions.names,
            ExpressionAttributeValues=expressions.values,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        if _CONDITION_FAILED not in response:
            return None
        wire = response[_CONDITION_FAILED]
        stored = Item(wire) if wire else self.get(key) or Item({})
        return None if stored.text(MARKER) == marker else stored

    def count(
        self, key: str, *, first: Mapping[str, Value], latest: Mapping[str, Value]
    ) -> None:
        """Increments `count`; a lost response may make it count twice.

        Args:
            key: The item's key.
            first: Attributes to set if they are absent.
            latest: Attributes to set always.

        Raises:
            StoreUnavailableError: DynamoDB failed.
        """
        expressions = Expressions()
        once = [
            f"{placeholder} = if_not_exists({placeholder}, {expressions.value(value)})"
            for placeholder, value in (
                (expressions.name(name), value) for name, value in first.items()
            )
        ]
        update = ", ".join([expressions.update(latest), *once])
        add = f"ADD {expressions.name('count')} {expressions.value(1)}"
        self.call(
            "UpdateItem",
            Key=_key(key),
            UpdateExpression=f"{update} {add}",
            ExpressionAttributeNames=expressions.names,
            ExpressionAttributeValues=expressions.values,
        )

    def _get_batch(self, query: Mapping[str, object]) -> list[Item]:
        """Reads up to 100 keys, and repeats for those left unprocessed."""
        items: list[Item] = []
        for tried in range(MAX_TRIES):
            if tried:
                self._pause(DYNAMODB_BATCH_PAUSE_SECONDS * 2**tried)
            response = self.call("BatchGetItem", RequestItems={self._name: query})
            items += map(Item, response.get("Responses", {}).get(self._name, []))
            unprocessed = response.get("UnprocessedKeys", {}).get(self._name, {})
            if not unprocessed.get("Keys"):
                return items
            query = {**query, "Keys": unprocessed["Keys"]}
        raise StoreUnavailableError("throttled")

    def call(self, operation: str, **parameters: object) -> Any:  # noqa: ANN401 - JSON
        """Makes one call and returns the response's members.

        If the call's condition fails, the only member is `_CONDITION_FAILED`: the
        stored item, if the service returns it, else None.
        """
        if operation != "BatchGetItem":
            parameters["TableName"] = self._name

        def call() -> Any:  # noqa: ANN401 - JSON
            sent_at = self._monotonic()
            try:
                response = self._client.call(operation, **parameters)
            except CallFailedError as failed:
                error = failed.response
                if not isinstance(error, AwsResponse):
                    raise
                self._clock.observe(error.date, sent_at=sent_at)
                if failed.code != _CONDITION_FAILED:
                    raise
                return {_CONDITION_FAILED: error.members.get("Item")}
            self._clock.observe(response.date, sent_at=sent_at)
            return response.members

        return run(
            call,
            action=f"dynamodb:{operation}",
            kind="table",
            explain=explain,
            failure=StoreUnavailableError,
        )


def _key(key: str) -> dict[str, dict[str, str | bytes]]:
    return {KEY: to_wire(key)}
