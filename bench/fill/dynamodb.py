"""Fills a table by BatchWriteItem over one raw connection."""

import base64
from collections.abc import Iterable
from itertools import islice

from bench.environment.emulator_process import Emulator
from bench.measure.raw_http import RawConnection, aws_call
from kycourier.adapters.aws.dynamodb.find_orders import ended_part
from kycourier.adapters.aws.dynamodb.indexes import ENDED, ENTRY, FOUND, PART
from kycourier.adapters.aws.dynamodb.table import KEY, MARKER
from kycourier.adapters.stores import due_index, found_index
from kycourier.core.orders.record import OrderRecord, encode_record

_BATCH = 12  # of the 25 allowed, so that the emulator keeps the body


def fill_dynamodb(
    emulator: Emulator, name: str, records: Iterable[OrderRecord]
) -> None:
    """Writes the items."""
    connection, remaining = RawConnection(emulator), iter(records)
    while batch := list(islice(remaining, _BATCH)):
        puts = [{"PutRequest": {"Item": _encode(record)}} for record in batch]
        request = {"RequestItems": {name: puts}}
        connection.call(aws_call("DynamoDB_20120810.BatchWriteItem", request))
    connection.close()


def _encode(record: OrderRecord) -> dict[str, dict[str, str]]:
    item = {
        KEY: {"S": f"order/{record.app_id}/{record.order_no}"},
        "version": {"N": str(record.version)},
        "fence": {"N": str(record.fence)},
        "record": {"B": base64.b64encode(encode_record(record)).decode()},
        MARKER: {"S": "w" * 32},
    }
    if record.state.is_final:
        item[ENDED] = {"S": ended_part(record.app_id, record.state.value)}
        item[FOUND] = {"S": found_index.build_entry(record)}
    name = due_index.list_of(record)
    if name is not None:
        shard = due_index.shard_of(record.order_no)
        item[PART] = {"S": f"{record.app_id}/{name}/{shard}"}
        item[ENTRY] = {"S": due_index.build_entry(record) or ""}
    return item
