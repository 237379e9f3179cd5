"""How the table is called: strong reads, conditional writes, and pages off its index.

A write's answer may be lost and the client repeat it over itself: so each write leaves
a mark that no other has, and one that finds its own mark has been done.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kycourier.adapters.aws.calls import AwsAnswer, NotDone, run
from kycourier.adapters.aws.client import JsonClient, client_of
from kycourier.adapters.aws.expressions import Attributes, Change
from kycourier.adapters.aws.items import Item, Value, to_wire
from kycourier.adapters.aws.store_clock import DateClock, StoreClock
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.system import draw_mark
from kycourier.core.errors import StoreUnavailable

KEY, PART, ENTRY, INDEX = "pk", "part", "entry", "due"
MARK = "writer"
TRIES = 5  # of what others hinder: a decision read again, keys left over
_BATCH = 100  # the most keys of one BatchGetItem
_FIRST_PAUSE = 0.05
_REFUSED = "ConditionalCheckFailedException"


def open_table(name: str, around: Surroundings) -> "Table":
    """Open a table by the store's own clock. Raises StoreUnavailable."""
    return Table(
        name,
        client=client_of("dynamodb", around),
        clock=DateClock(around.clock),
        monotonic=around.clock.monotonic,
        pause=around.clock.sleep,
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
        """Read once, which proves table and permission. Raises StoreUnavailable."""
        self._name, self._client = name, client
        self._clock, self._monotonic, self._pause = clock, monotonic, pause
        self.load("opening")

    def now(self) -> datetime:
        """Tell the store's clock, aware UTC. Raises StoreUnavailable."""
        return self._clock.now()

    def has_just_answered(self) -> bool:
        """Tell whether the clock was set by an answer of the last two seconds."""
        return self._clock.was_just_set()

    def load(self, key: str) -> Item | None:
        """Read an item, strongly. Raises StoreUnavailable."""
        answer = self._ask("GetItem", Key=_key(key), ConsistentRead=True)
        return Item(answer["Item"]) if "Item" in answer else None

    def load_many(self, keys: Sequence[str], *, names: Sequence[str]) -> list[Item]:
        """Read those items that are there, strongly, in any order.

        Gives the key and the attributes of `names`. Raises StoreUnavailable.
        """
        placeholders = {f"#{at}": name for at, name in enumerate((KEY, *names))}
        question = {
            "ConsistentRead": True,
            "ProjectionExpression": ", ".join(placeholders),
            "ExpressionAttributeNames": placeholders,
        }
        items = []
        for at in range(0, len(keys), _BATCH):
            batch = [_key(key) for key in keys[at : at + _BATCH]]
            items += self._load_batch({**question, "Keys": batch})
        return items

    def write(self, key: str, attributes: Attributes, *, expected: Attributes) -> bool:
        """Set attributes (None: take away) if those expected are so (None: absent).

        The item is made if there is none and may be. False: it is not as expected.
        Raises StoreUnavailable.
        """
        return self.write_or_read(key, attributes, expected=expected) is None

    def write_or_read(
        self, key: str, attributes: Attributes, *, expected: Attributes
    ) -> Item | None:
        """Write as `write` does, or give the item that is not as expected.

        One that is not there at all has no attributes. Raises StoreUnavailable.
        """
        mark = draw_mark()
        change = Change()
        answer = self._ask(
            "UpdateItem",
            Key=_key(key),
            UpdateExpression=change.update({**attributes, MARK: mark}),
            ConditionExpression=change.condition(expected),
            ExpressionAttributeNames=change.names,
            ExpressionAttributeValues=change.values,
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        if _REFUSED not in answer:
            return None
        wire = answer[_REFUSED]
        there = Item(wire) if wire else self.load(key) or Item({})
        return None if there.text(MARK) == mark else there

    def count(
        self, key: str, *, first: Mapping[str, Value], latest: Mapping[str, Value]
    ) -> None:
        """Add one to `count`; set `first` where it is absent, and `latest` always.

        One whose answer is lost may count twice. Raises StoreUnavailable.
        """
        change = Change()
        once = [
            f"{change.name(name)} = if_not_exists({change.name(name)}, {at})"
            for name, at in ((name, change.value(first[name])) for name in first)
        ]
        update = ", ".join([change.update(latest), *once])
        self._ask(
            "UpdateItem",
            Key=_key(key),
            UpdateExpression=f"{update} ADD {change.name('count')} {change.value(1)}",
            ExpressionAttributeNames=change.names,
            ExpressionAttributeValues=change.values,
        )

    def entries(self, part: str, *, above: str, up_to: str, most: int) -> list[str]:
        """Read a part of the index in order, after `above`. Raises StoreUnavailable."""
        found: list[str] = []
        following: dict[str, object] = {}
        while len(found) < most:
            answer = self._ask(
                "Query",
                IndexName=INDEX,
                KeyConditionExpression="#part = :part AND #entry BETWEEN :from AND :to",
                ExpressionAttributeNames={"#part": PART, "#entry": ENTRY},
                ExpressionAttributeValues={
                    ":part": to_wire(part),
                    ":from": to_wire(f"{above}\0"),  # the first text after it
                    ":to": to_wire(up_to),
                },
                Limit=most - len(found),
                **following,
            )
            found += [item[ENTRY]["S"] for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            following = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return found

    def _load_batch(self, question: Mapping[str, object]) -> list[Item]:
        """Ask for up to 100 keys, and again for those that are left over."""
        items: list[Item] = []
        for tried in range(TRIES):
            if tried:
                self._pause(_FIRST_PAUSE * 2**tried)
            answer = self._ask("BatchGetItem", RequestItems={self._name: question})
            items += map(Item, answer.get("Responses", {}).get(self._name, []))
            left = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys")
            if not left:
                return items
            question = {**question, "Keys": left}
        raise StoreUnavailable("throttled")

    def _ask(self, operation: str, **parameters: object) -> Any:  # noqa: ANN401 - as the API answers
        """Make one call; where its condition does not hold, give what the answer holds.

        That is the item as it stands, under `_REFUSED`, where the service gives it.
        """
        if operation != "BatchGetItem":
            parameters["TableName"] = self._name

        def call() -> Any:  # noqa: ANN401 - as the API answers
            asked_at = self._monotonic()
            try:
                answer = self._client.ask(operation, **parameters)
            except NotDone as not_done:
                self._note(not_done.answer, asked_at)
                if not_done.why != _REFUSED or not_done.answer is None:
                    raise
                return {_REFUSED: not_done.answer.members.get("Item")}
            self._note(answer, asked_at)
            return answer.members

        return run(
            call,
            action=f"dynamodb:{operation}",
            kind="table",
            failure=StoreUnavailable,
        )

    def _note(self, answer: AwsAnswer | None, asked_at: float) -> None:
        if answer is not None:
            self._clock.note(answer.date, asked_at=asked_at)


def _key(key: str) -> dict[str, dict[str, str | bytes]]:
    return {KEY: to_wire(key)}
