"""A table filled by BatchWriteItem, over one bare connection."""

import base64
from collections.abc import Iterable
from itertools import islice

from bench.bare import Caller, call_service
from bench.stand_in import StandIn
from kycourier.adapters import due_index
from kycourier.adapters.aws.table import ENTRY, KEY, MARK, PART
from kycourier.core.order_record import OrderRecord, encode_record

_BATCH = 12  # of 25 that the API takes: a body stays below what the stand-in keeps


def fill_dynamodb(stand_in: StandIn, name: str, records: Iterable[OrderRecord]) -> None:
    """Write the items."""
    caller, waiting = Caller(stand_in), iter(records)
    while batch := list(islice(waiting, _BATCH)):
        puts = [{"PutRequest": {"Item": _spell(record)}} for record in batch]
        asked = {"RequestItems": {name: puts}}
        caller.call(call_service("DynamoDB_20120810.BatchWriteItem", asked))
    caller.close()


def _spell(record: OrderRecord) -> dict[str, dict[str, str]]:
    item = {
        KEY: {"S": f"order/{record.app_id}/{record.order_no}"},
        "version": {"N": str(record.version)},
        "fence": {"N": str(record.fence)},
        "record": {"B": base64.b64encode(encode_record(record)).decode()},
        MARK: {"S": "w" * 32},
    }
    name = due_index.list_of(record)
    if name is not None:
        shard = due_index.shard_of(record.order_no)
        item[PART] = {"S": f"{record.app_id}/{name}/{shard}"}
        item[ENTRY] = {"S": due_index.build_entry(record) or ""}
    return item
