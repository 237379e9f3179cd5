"""Counts what one order uses of the cloud, at the emulators."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.emulators.request_units import READ, WRITTEN
from bench.environment.bench_environment import BenchEnvironment
from bench.environment.function_settings import aws_settings
from bench.environment.worker import ALL_COLLECTED, make_batch
from bench.errors import BenchError
from bench.report.json_files import write_json
from kycourier_devkit.emulators.local_runtime.process import (
    FunctionProcess,
    function_file,
)

FILE = Path(__file__).with_name("per_order.json")
TRIPS = ("GetItem", "UpdateItem", "PutEvents", "put")
ORDERS, BATCH = 50, 10
_SIZE = 100_000  # of a photo; no count depends on it


class PerOrder(Struct, frozen=True, kw_only=True):
    """Calls, units and bytes of one order; log bytes alone and in a batch of ten."""

    trips: Mapping[str, float]
    write_units: float
    read_units: float
    log_bytes: float
    log_bytes_in_batch: float


def count_order(environment: BenchEnvironment) -> PerOrder:
    """Collects orders on the AWS adapters and counts. Raises BenchError."""
    environment.set_latency(0)
    log = environment.folder / "counted.log"
    environ = {"PATH": "/usr/bin:/bin", **aws_settings(environment.endpoints, {})}
    path = function_file("collect_results")
    with (
        log.open("wb") as stream,
        FunctionProcess(path, environ, log=stream) as function,
    ):
        _collect(function, 1)  # obtains the ticket
        before, size = _counters(environment), log.stat().st_size
        for _ in range(ORDERS):
            _collect(function, 1)
        after, alone = _counters(environment), log.stat().st_size
        for _ in range(ORDERS // BATCH):
            _collect(function, BATCH)
        batched = log.stat().st_size
    each = {name: (after[name] - before[name]) / ORDERS for name in after}
    return PerOrder(
        trips={name: each[name] for name in TRIPS},
        write_units=each[WRITTEN],
        read_units=each[READ],
        log_bytes=(alone - size) / ORDERS,
        log_bytes_in_batch=(batched - alone) / ORDERS,
    )


def write_counts(counted: PerOrder) -> None:
    """Stores the counts."""
    write_json(FILE, counted)


def read_counts() -> PerOrder:
    """Reads the stored counts."""
    return msgspec.json.decode(FILE.read_bytes(), type=PerOrder)


def _collect(function: FunctionProcess, orders: int) -> None:
    result = function.invoke(make_batch(_SIZE, orders=orders))
    if result != ALL_COLLECTED:
        raise BenchError("not all orders were collected")


def _counters(environment: BenchEnvironment) -> Counter[str]:
    return environment.aws_services.counters() + environment.s3.counters()
