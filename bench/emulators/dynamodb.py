"""Emulates DynamoDB in memory: evaluates conditions and updates, one at a time.

It implements the expressions that the adapters send, and raises NotImplementedError for
any other. The contract suites of the state stores run on it (tests/ports).
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from bench.emulators.request_units import READ, WRITTEN, read_units, write_units

Members = Mapping[str, Any]
Item = dict[str, dict[str, str]]
KEY = "pk"
_ABSENT = re.compile(r"attribute_not_exists\((#\w+)\)")
_EQUAL = re.compile(r"(#\w+) = (:\w+)")
_ONCE = re.compile(r"(#\w+) = if_not_exists\((#\w+), (:\w+)\)")
_SECTIONS = re.compile(r"(REMOVE|SET|ADD) ")
_RANGE = "#part = :part AND #entry BETWEEN :from AND :to"


class AwsError(Exception):
    """A call is refused; the text is AWS's error code."""


class Tables:
    """Tables by name, created on first use."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tables: dict[str, dict[str, Item]] = {}
        self._units: Counter[str] = Counter()

    def units(self) -> Mapping[str, float]:
        """Returns the request units of single reads and writes so far."""
        with self._lock:
            return dict(self._units)

    @property
    def operations(self) -> dict[str, Callable[[Members], Members]]:
        """The operations by AWS's names."""
        return {
            "GetItem": self._on_table(get_item),
            "UpdateItem": self._on_table(update_item),
            "Query": self._on_table(query),
            "Scan": self._on_table(scan),
            "BatchGetItem": self._batch_get_item,
            "BatchWriteItem": self._batch_write_item,
            "CreateTable": lambda _: {"TableDescription": {"TableStatus": "ACTIVE"}},
            "DescribeTable": lambda _: {"Table": {"TableStatus": "ACTIVE"}},
        }

    def _on_table(
        self, operation: Callable[[dict[str, Item], Members], Members]
    ) -> Callable[[Members], Members]:
        def call(request: Members) -> Members:
            with self._lock:
                table = self._tables.setdefault(request["TableName"], {})
                key = request.get("Key", {}).get(KEY, {}).get("S", "")
                before = table.get(key, {})
                response = operation(table, request)
                if operation is update_item:
                    self._units[WRITTEN] += write_units(before, table[key])
                elif operation is get_item:
                    self._units[READ] += read_units(before)
                return response

        return call

    def _batch_get_item(self, request: Members) -> Members:
        found = {}
        with self._lock:
            for table_name, batch in request["RequestItems"].items():
                table = self._tables.setdefault(table_name, {})
                names = batch["ExpressionAttributeNames"]
                projected = [
                    names[each] for each in batch["ProjectionExpression"].split(", ")
                ]
                keys = [key[KEY]["S"] for key in batch["Keys"]]
                found[table_name] = [
                    {name: table[key][name] for name in projected if name in table[key]}
                    for key in keys
                    if key in table
                ]
        return {"Responses": found, "UnprocessedKeys": {}}

    def _batch_write_item(self, request: Members) -> Members:
        with self._lock:
            for name, puts in request["RequestItems"].items():
                table = self._tables.setdefault(name, {})
                items = [put["PutRequest"]["Item"] for put in puts]
                table.update((item[KEY]["S"], item) for item in items)
        return {"UnprocessedItems": {}}


def get_item(table: dict[str, Item], request: Members) -> Members:
    """Returns an item, if it exists."""
    item = table.get(request["Key"][KEY]["S"])
    return {} if item is None else {"Item": item}


def update_item(table: dict[str, Item], request: Members) -> Members:
    """Updates or creates an item if its condition is met."""
    key = request["Key"][KEY]["S"]
    stored = table.get(key, {})
    condition = request.get("ConditionExpression")
    if condition and not is_met(condition, stored, request):
        raise AwsError("ConditionalCheckFailedException")
    table[key] = {**apply_update(stored, request), KEY: {"S": key}}
    return {}


def query(table: dict[str, Item], request: Members) -> Members:
    """Returns the keys of an index partition in order, up to the limit."""
    if request["KeyConditionExpression"] != _RANGE:
        raise NotImplementedError  # the service queries by range only
    values = request["ExpressionAttributeValues"]
    part, first, last = (values[name]["S"] for name in (":part", ":from", ":to"))
    if first > last:
        raise AwsError("ValidationException")
    names = request["ExpressionAttributeNames"]
    hashed, ranged = names["#part"], names["#entry"]
    found = sorted(
        (
            {name: item[name] for name in (KEY, hashed, ranged)}
            for item in table.values()
            if hashed in item
            and ranged in item
            and item[hashed]["S"] == part
            and first <= item[ranged]["S"] <= last
        ),
        key=lambda item: (item[ranged]["S"], item[KEY]["S"]),
        reverse=not request.get("ScanIndexForward", True),
    )
    after = request.get("ExclusiveStartKey")
    if after:
        found = found[found.index(after) + 1 :]
    page = found[: request["Limit"]]
    more = len(found) > len(page)
    return {"Items": page, **({"LastEvaluatedKey": page[-1]} if more else {})}


def scan(table: dict[str, Item], _request: Members) -> Members:
    """Returns all items."""
    return {"Items": list(table.values())}


def is_met(condition: str, item: Item, request: Members) -> bool:
    """Returns whether every term of a condition is true."""
    names, values = request["ExpressionAttributeNames"], _values(request)
    for term in condition.split(" AND "):
        if absent := _ABSENT.fullmatch(term):
            if names[absent[1]] in item:
                return False
        elif equal := _EQUAL.fullmatch(term):
            stored = item.get(names[equal[1]])
            if stored is None or not _is_same(stored, values[equal[2]]):
                return False
        else:
            raise NotImplementedError(term)
    return True


def apply_update(item: Item, request: Members) -> Item:
    """Returns the updated item."""
    names, values = request["ExpressionAttributeNames"], _values(request)
    changed = dict(item)
    _, *sections = _SECTIONS.split(request["UpdateExpression"])
    for verb, text in zip(sections[::2], sections[1::2], strict=True):
        for term in re.split(", (?=#)", text.strip()):
            if verb == "REMOVE":
                changed.pop(names[term], None)
            elif verb == "ADD":
                name, by = term.split(" ")
                before = changed.get(names[name], {"N": "0"})["N"]
                changed[names[name]] = {"N": str(int(before) + int(values[by]["N"]))}
            elif once := _ONCE.fullmatch(term):
                changed[names[once[1]]] = item.get(names[once[2]], values[once[3]])
            elif equal := _EQUAL.fullmatch(term):
                changed[names[equal[1]]] = values[equal[2]]
            else:
                raise NotImplementedError(term)
    return changed


def _values(request: Members) -> Item:
    values: Item = request.get("ExpressionAttributeValues", {})
    return values


def _is_same(one: dict[str, str], other: dict[str, str]) -> bool:
    """Compares as DynamoDB does: numbers by value, all else exactly."""
    if "N" in one and "N" in other:
        return int(one["N"]) == int(other["N"])
    return one == other
