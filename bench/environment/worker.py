"""A measured process that collects orders, and the cost of each call."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.environment.child_process import ChildProcess
from bench.errors import BenchError

ALL_COLLECTED: Mapping[str, object] = {"batchItemFailures": []}
_numbers = itertools.count(1)


class Sample(NamedTuple):
    """Seconds that one call took."""

    wall: float
    cpu: float


class MemorySample(NamedTuple):
    """A call's sample, with resident bytes before it and at its peak."""

    sample: Sample
    idle: int
    peak: int


def make_batch(
    size: int, *, orders: int = 1, document: str | None = None
) -> dict[str, object]:
    """Returns an SQS event of new orders with three photos of `size` bytes each.

    `document` is what was scanned, None for a bank card; a face has a video of `size`.
    """
    named = {"document": document} if document else {}
    order_nos = [f"p{size}n{next(_numbers)}x" for _ in range(orders)]
    return {
        "Records": [
            {
                "messageId": order_no,
                "body": json.dumps({"order_no": order_no, **named}),
            }
            for order_no in order_nos
        ]
    }


class Worker:
    """A function file in its own process; `startup` is what its start cost."""

    def __init__(self, child: ChildProcess) -> None:
        self._child = child
        self.startup = child.read()
        self.pid = child.pid

    def collect(
        self,
        size: int,
        *,
        orders: int = 1,
        limit: float = 30,
        document: str | None = None,
    ) -> Sample:
        """Collects one batch. Raises BenchError if an order was not collected."""
        batch = make_batch(size, orders=orders, document=document)
        return self.call(batch, limit=limit)

    def call(self, event: object, *, limit: float = 30) -> Sample:
        """Calls the handler once, with `limit` seconds until its deadline."""
        command = {"command": "invoke", "events": [event], "limit": limit}
        return _check(self._child.call(command))[0]

    def collect_and_weigh(
        self, size: int, *, orders: int = 1, document: str | None = None
    ) -> MemorySample:
        """Collects one batch, and measures the memory of the process."""
        events = [make_batch(size, orders=orders, document=document)]
        response = self._child.call({"command": "weigh", "events": events})
        [sample] = _check(response)
        return MemorySample(sample, response["idle"] * 1024, response["peak"] * 1024)

    def end(self) -> None:
        """Waits until the process has ended."""
        self._child.end()


def _check(response: Mapping[str, Sequence[object]]) -> list[Sample]:
    for result in response["results"]:
        if isinstance(result, dict) and result != ALL_COLLECTED:
            raise BenchError(f"not all orders were collected: {result}")
    return [Sample(*each) for each in response["samples"]]  # type: ignore[misc]  # pairs
