"""Queries the table's two indexes: due orders in shards, and ended orders by state."""

from typing import Any, Protocol

from kycourier.adapters.aws.dynamodb.items import to_wire

PART, ENTRY, INDEX = "part", "entry", "due"
ENDED, FOUND, ENDED_INDEX = "ended", "found", "ended"
_RANGE = "#part = :part AND #entry BETWEEN :from AND :to"


class CallTable(Protocol):
    """Makes one call to the table, and returns the response's members."""

    def __call__(self, operation: str, **parameters: object) -> Any:  # noqa: ANN401 - JSON
        """Raises StoreUnavailableError."""


def list_entries(
    call: CallTable, part: str, *, above: str, up_to: str, limit: int
) -> list[str]:
    """Lists an index partition's entries in order, above `above` up to `up_to`.

    Raises:
        StoreUnavailableError: DynamoDB failed.
    """
    entries: list[str] = []
    next_page: dict[str, object] = {}
    while len(entries) < limit:
        response = call(
            "Query",
            IndexName=INDEX,
            KeyConditionExpression=_RANGE,
            ExpressionAttributeNames={"#part": PART, "#entry": ENTRY},
            ExpressionAttributeValues={
                ":part": to_wire(part),
                ":from": to_wire(f"{above}\0"),  # the first text after it
                ":to": to_wire(up_to),
            },
            Limit=limit - len(entries),
            **next_page,
        )
        entries += [item[ENTRY]["S"] for item in response["Items"]]
        if "LastEvaluatedKey" not in response:
            break
        next_page = {"ExclusiveStartKey": response["LastEvaluatedKey"]}
    return entries


def list_ended(
    call: CallTable, part: str, *, lowest: str, below: str, limit: int
) -> list[str]:
    """Lists the highest entries of a part of the index of ended orders.

    Raises:
        StoreUnavailableError: DynamoDB failed.
    """
    response = call(
        "Query",
        IndexName=ENDED_INDEX,
        KeyConditionExpression=_RANGE,
        ExpressionAttributeNames={"#part": ENDED, "#entry": FOUND},
        ExpressionAttributeValues={
            ":part": to_wire(part),
            ":from": to_wire(lowest),
            ":to": to_wire(below),
        },
        ScanIndexForward=False,
        Limit=limit + 1,  # `below` itself is left out
    )
    entries = [item[FOUND]["S"] for item in response["Items"]]
    return [entry for entry in entries if entry < below][:limit]
