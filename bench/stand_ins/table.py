"""DynamoDB in memory: conditions and updates truly evaluated, one at a time.

Only the forms that the adapters send are known, and the bench's way to fill it; another
one raises, so that nothing is taken for granted. The state stores' own contract suites
run on it (tests/ports).
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from bench.stand_ins.units import READ, WRITTEN, units_read, units_written

Members = Mapping[str, Any]
Item = dict[str, dict[str, str]]
KEY, PART, ENTRY = "pk", "part", "entry"
_ABSENT = re.compile(r"attribute_not_exists\((#\w+)\)")
_EQUAL = re.compile(r"(#\w+) = (:\w+)")
_ONCE = re.compile(r"(#\w+) = if_not_exists\((#\w+), (:\w+)\)")
_SECTIONS = re.compile(r"(REMOVE|SET|ADD) ")
_RANGE = "#part = :part AND #entry BETWEEN :from AND :to"


class Refused(Exception):  # noqa: N818 - AWS's symbol follows
    """A call is refused, with AWS's own symbol."""


class Tables:
    """Tables by their names; made when first used."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tables: dict[str, dict[str, Item]] = {}
        self._units: Counter[str] = Counter()

    def units(self) -> Mapping[str, float]:
        """Give the request units so far, of single reads and writes."""
        with self._lock:
            return dict(self._units)

    @property
    def calls(self) -> dict[str, Callable[[Members], Members]]:
        """The operations by their names."""
        operations = (get_item, update_item, query, scan)
        named = {
            "".join(map(str.title, each.__name__.split("_"))): self._on_one(each)
            for each in operations
        }
        ready = {"Table": {"TableStatus": "ACTIVE"}}
        return {
            **named,
            "BatchGetItem": self._batch_get_item,
            "BatchWriteItem": self._batch_write_item,
            "CreateTable": lambda _: {"TableDescription": {"TableStatus": "ACTIVE"}},
            "DescribeTable": lambda _: ready,
        }

    def _on_one(
        self, operation: Callable[[dict[str, Item], Members], Members]
    ) -> Callable[[Members], Members]:
        def call(asked: Members) -> Members:
            with self._lock:
                table = self._tables.setdefault(asked["TableName"], {})
                key = asked.get("Key", {}).get(KEY, {}).get("S", "")
                before = table.get(key, {})
                answer = operation(table, asked)
                if operation is update_item:
                    self._units[WRITTEN] += units_written(before, table[key])
                elif operation is get_item:
                    self._units[READ] += units_read(before)
                return answer

        return call

    def _batch_get_item(self, asked: Members) -> Members:
        found = {}
        with self._lock:
            for name, wanted in asked["RequestItems"].items():
                table = self._tables.setdefault(name, {})
                names = wanted["ExpressionAttributeNames"]
                shown = [
                    names[each] for each in wanted["ProjectionExpression"].split(", ")
                ]
                keys = [key[KEY]["S"] for key in wanted["Keys"]]
                found[name] = [
                    {name: table[key][name] for name in shown if name in table[key]}
                    for key in keys
                    if key in table
                ]
        return {"Responses": found, "UnprocessedKeys": {}}

    def _batch_write_item(self, asked: Members) -> Members:
        with self._lock:
            for name, puts in asked["RequestItems"].items():
                table = self._tables.setdefault(name, {})
                items = [put["PutRequest"]["Item"] for put in puts]
                table.update((item[KEY]["S"], item) for item in items)
        return {"UnprocessedItems": {}}


def get_item(table: dict[str, Item], asked: Members) -> Members:
    """Give an item, if it is there."""
    item = table.get(asked["Key"][KEY]["S"])
    return {} if item is None else {"Item": item}


def update_item(table: dict[str, Item], asked: Members) -> Members:
    """Change an item, or make it, if its condition holds."""
    key = asked["Key"][KEY]["S"]
    there = table.get(key, {})
    condition = asked.get("ConditionExpression")
    if condition and not holds(condition, there, asked):
        raise Refused("ConditionalCheckFailedException")
    table[key] = {**change(there, asked), KEY: {"S": key}}
    return {}


def query(table: dict[str, Item], asked: Members) -> Members:
    """Give the keys of a part of the index, in order, up to the limit."""
    if asked["KeyConditionExpression"] != _RANGE:
        raise NotImplementedError  # the service asks for ranges alone
    values = asked["ExpressionAttributeValues"]
    part, first, last = (values[name]["S"] for name in (":part", ":from", ":to"))
    after = asked.get("ExclusiveStartKey")
    least = max(first, after[ENTRY]["S"] + "\0") if after else first
    found = sorted(
        (
            {name: item[name] for name in (KEY, PART, ENTRY)}
            for item in table.values()
            if PART in item
            and ENTRY in item
            and item[PART]["S"] == part
            and least <= item[ENTRY]["S"] <= last
        ),
        key=lambda item: item[ENTRY]["S"],
    )
    page = found[: asked["Limit"]]
    more = len(found) > len(page)
    return {"Items": page, **({"LastEvaluatedKey": page[-1]} if more else {})}


def scan(table: dict[str, Item], _asked: Members) -> Members:
    """Give all items."""
    return {"Items": list(table.values())}


def holds(condition: str, item: Item, asked: Members) -> bool:
    """Tell whether each term of a condition is so."""
    names, values = asked["ExpressionAttributeNames"], _values(asked)
    for term in condition.split(" AND "):
        if absent := _ABSENT.fullmatch(term):
            if names[absent[1]] in item:
                return False
        elif equal := _EQUAL.fullmatch(term):
            there = item.get(names[equal[1]])
            if there is None or not _is_same(there, values[equal[2]]):
                return False
        else:
            raise NotImplementedError(term)  # no form that the service sends
    return True


def change(item: Item, asked: Members) -> Item:
    """Give the item as the update leaves it."""
    names, values = asked["ExpressionAttributeNames"], _values(asked)
    changed = dict(item)
    _, *sections = _SECTIONS.split(asked["UpdateExpression"])
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
                raise NotImplementedError(term)  # no form that the service sends
    return changed


def _values(asked: Members) -> Item:
    values: Item = asked.get("ExpressionAttributeValues", {})
    return values


def _is_same(one: dict[str, str], other: dict[str, str]) -> bool:
    """Compare as DynamoDB does: numbers by value, all else to the letter."""
    if "N" in one and "N" in other:
        return int(one["N"]) == int(other["N"])
    return one == other
