"""Makes rows that a release without search wrote findable, one write for each."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from kycourier.adapters import registry
from kycourier.adapters.aws.dynamodb.indexes import ENDED
from kycourier.adapters.aws.dynamodb.items import to_wire
from kycourier.adapters.aws.dynamodb.table import KEY, Table, open_table
from kycourier.adapters.redis.client import RedisClient
from kycourier.adapters.redis.keys import list_key, order_key
from kycourier.adapters.redis.urls import parse_redis_url
from kycourier.adapters.stores.due_index import SHARDS
from kycourier.container import Container
from kycourier.core.errors import (
    NewerSchemaError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.orders.record import OrderKey, OrderState
from kycourier.ports import OrderStore
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.orders.container import STATE_SETTINGS, open_container

_PAGE = 1000
_FILTER = "begins_with(#key, :prefix) AND attribute_not_exists(#ended)"


def reindex(context: CliContext) -> int:
    """Reads all rows once, and writes those again that no search finds.

    Returns:
        The exit code: 1 if a row could not be read.

    Raises:
        SettingError: The state cannot be used.
        StoreUnavailableError: It failed on the way: a second run goes on.
    """
    container = open_container(context, STATE_SETTINGS)
    orders, written, unreadable = container.stores.orders, 0, 0
    for order_no in find_unindexed(container):
        problem, is_written = _try_write(orders, OrderKey(container.app_id, order_no))
        written += is_written
        if problem is not None:
            unreadable += 1
            context.terminal.problem(f"{order_no}: {problem}")
    plural = "" if written == 1 else "s"
    context.terminal.line(f"{written} order{plural} indexed.")
    return 1 if unreadable else 0


def _try_write(orders: OrderStore, key: OrderKey) -> tuple[str | None, bool]:
    try:
        return None, write_again(orders, key)
    except (NewerSchemaError, StoreUnavailableError) as error:
        return error.reason or error.code, False


def write_again(orders: OrderStore, key: OrderKey) -> bool:
    """Writes a row again as it is; returns whether that was needed and done.

    An order that is being collected is left to its worker, which writes it.

    Raises:
        NewerSchemaError: A newer release wrote the row.
        StoreUnavailableError: The row is damaged, or the store failed.
    """
    record = orders.get(key)
    if record is None or record.state is OrderState.COLLECTING:
        return False
    with suppress(StaleOwnerError):  # another write was first
        orders.commit(replace(record, version=record.version + 1), expected=record)
        return True
    return False


def find_unindexed(container: Container) -> Iterator[str]:
    """Yields the numbers of orders without an entry; a file has none.

    Raises StoreUnavailableError.
    """
    url, context, app_id = (
        container.settings.state,
        container.context,
        container.app_id,
    )
    if url.scheme == "dynamodb":
        return find_in_table(open_table(url.rest, context), app_id)
    if url.scheme in {"redis", "rediss"}:
        factory = registry.find_factory(url.scheme)
        client = factory.open_client(parse_redis_url(url), context)
        return find_in_redis(client, app_id)
    return iter(())


def find_in_table(table: Table, app_id: str) -> Iterator[str]:
    """Scans for ended orders: open ones are found by their due time."""
    prefix = f"order/{app_id}/"
    next_page: Mapping[str, Any] = {}
    while True:
        response = table.call(
            "Scan",
            FilterExpression=_FILTER,
            ProjectionExpression="#key",
            ExpressionAttributeNames={"#key": KEY, "#ended": ENDED},
            ExpressionAttributeValues={":prefix": to_wire(prefix)},
            **next_page,
        )
        for item in response["Items"]:
            yield item[KEY]["S"].removeprefix(prefix)
        if "LastEvaluatedKey" not in response:
            return
        next_page = {"ExclusiveStartKey": response["LastEvaluatedKey"]}


def find_in_redis(client: RedisClient, app_id: str) -> Iterator[str]:
    """Walks the keys of each shard's node."""
    for shard in range(SHARDS):
        slot_key = list_key(app_id, shard, "")
        pattern, at = f"{slot_key}order:*", b"0"
        while True:
            found = client.call(
                "SCAN", at, "MATCH", pattern, "COUNT", _PAGE, key=slot_key
            )
            at, keys = found if isinstance(found, list) else (b"0", [])
            for key in keys:
                order_no = key.decode().removeprefix(f"{slot_key}order:")
                if client.read_field(order_key(OrderKey(app_id, order_no)), "found"):
                    continue
                yield order_no
            if at == b"0":
                break
