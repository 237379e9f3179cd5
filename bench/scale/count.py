"""What one order asks of the cloud, counted at the bench's stand-ins."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.environments import aws_environ
from bench.processes import BenchFailed
from bench.stage import Stage
from bench.stand_ins.units import READ, WRITTEN
from bench.worker import make_batch
from kycourier_devkit.functions.process import FunctionProcess, function_file

FILE = Path(__file__).with_name("per_order.json")
TRIPS = ("GetItem", "UpdateItem", "PutEvents", "put")
ORDERS, BATCH = 50, 10
_SIZE = 100_000  # of a photo; no count depends on it
_DONE: Mapping[str, object] = {"batchItemFailures": []}


class PerOrder(Struct, frozen=True, kw_only=True):
    """Calls, units and bytes of one order; log bytes alone and in a batch of ten."""

    trips: Mapping[str, float]
    write_units: float
    read_units: float
    log_bytes: float
    log_bytes_in_batch: float


def count(stage: Stage) -> PerOrder:
    """Have orders collected on AWS's adapters, and count. Raises BenchFailed."""
    stage.be_slow(0)
    log = stage.folder / "counted.log"
    environ = {"PATH": "/usr/bin:/bin", **aws_environ(stage.places, {})}
    path = function_file("collect_results")
    with (
        log.open("wb") as stream,
        FunctionProcess(path, environ, log=stream) as function,
    ):
        _collect(function, 1)  # buys the ticket
        begun, size = _counts(stage), log.stat().st_size
        for _ in range(ORDERS):
            _collect(function, 1)
        ended, alone = _counts(stage), log.stat().st_size
        for _ in range(ORDERS // BATCH):
            _collect(function, BATCH)
        batched = log.stat().st_size
    each = {name: (ended[name] - begun[name]) / ORDERS for name in ended}
    return PerOrder(
        trips={name: each[name] for name in TRIPS},
        write_units=each[WRITTEN],
        read_units=each[READ],
        log_bytes=(alone - size) / ORDERS,
        log_bytes_in_batch=(batched - alone) / ORDERS,
    )


def write_count(counted: PerOrder) -> None:
    """Keep it."""
    FILE.write_bytes(
        msgspec.json.format(msgspec.json.encode(counted), indent=1) + b"\n"
    )


def read_count() -> PerOrder:
    """Read what is kept."""
    return msgspec.json.decode(FILE.read_bytes(), type=PerOrder)


def _collect(function: FunctionProcess, orders: int) -> None:
    answer = function.invoke(make_batch(_SIZE, orders=orders))
    if answer != _DONE:
        raise BenchFailed("not all orders were collected")


def _counts(stage: Stage) -> Counter[str]:
    return stage.services.counts() + stage.bucket.counts()
