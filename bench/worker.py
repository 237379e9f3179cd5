"""A measured process that collects orders, and what a call of it cost."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.processes import BenchFailed, Process

_numbers = itertools.count(1)
_DONE: Mapping[str, object] = {"batchItemFailures": []}


class Sample(NamedTuple):
    """Seconds that one call took."""

    wall: float
    cpu: float


class Weight(NamedTuple):
    """A call's sample; resident bytes before it and at its peak."""

    sample: Sample
    idle: int
    peak: int


def make_batch(size: int, *, orders: int = 1) -> dict[str, object]:
    """Make an SQS event of new orders, whose three photos have `size` bytes each."""
    names = [f"p{size}n{next(_numbers)}x" for _ in range(orders)]
    return {
        "Records": [
            {"messageId": name, "body": json.dumps({"order_no": name})}
            for name in names
        ]
    }


class Worker:
    """A function file in a process of its own; `ready` is what its start cost."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.ready = process.read()
        self.pid = process.pid

    def collect(self, size: int, *, orders: int = 1, limit: float = 30) -> Sample:
        """Have one batch collected. Raises BenchFailed when any order was not."""
        return self.call(make_batch(size, orders=orders), limit=limit)

    def call(self, event: object, *, limit: float = 30) -> Sample:
        """Call the handler once."""
        order = {"do": "invoke", "events": [event], "limit": limit}
        return _check(self._process.ask(order))[0]

    def weigh(self, size: int, *, orders: int = 1) -> Weight:
        """Have one batch collected, and see how the process grows."""
        events = [make_batch(size, orders=orders)]
        answer = self._process.ask({"do": "weigh", "events": events})
        [sample] = _check(answer)
        return Weight(sample, answer["idle"] * 1024, answer["peak"] * 1024)

    def end(self) -> None:
        """Let it end, and wait."""
        self._process.end()


def _check(answer: Mapping[str, Sequence[object]]) -> list[Sample]:
    for told in answer["answers"]:
        if isinstance(told, dict) and told != _DONE:
            raise BenchFailed(f"not all orders were collected: {told}")
    return [Sample(*each) for each in answer["samples"]]  # type: ignore[misc]  # pairs
