"""G14: the cost of state store operations when very many orders are stored.

On SQLite and Redis their time is measured, with three sizes in turn; on DynamoDB, whose
emulator searches linearly, the number and size of their requests is counted.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from bench.environment.bench_environment import BenchEnvironment
from bench.environment.function_settings import aws_settings
from bench.fill.dynamodb import fill_dynamodb
from bench.fill.filled_store import FilledStore
from bench.fill.orders import make_orders
from bench.fill.redis import fill_redis
from bench.fill.sqlite import fill_sqlite
from bench.goals.goal import Goal, Measured
from bench.measure.figures import Figure, compare
from kycourier.core.orders.record import OrderRecord
from kycourier.settings.resource_url import ResourceUrl
from kycourier_devkit.emulators.servers import find_free_port, start_redis_node
from kycourier_devkit.errors import ToolUnavailableError

MAX_TIME_RATIO, MAX_REQUEST_RATIO = 1.5, 1
SIZES, SMOKE_SIZES = (1_000, 100_000, 1_000_000), (1_000, 1_500, 2_000)
TURNS = 30
QUICK_CALLS = 8  # per turn, of each operation but the sweep page
REQUESTS = ("GetItem", "UpdateItem", "Query", "BatchGetItem")
SWEEP = "sweep page"
MIX_NOTE = (
    "Of the stored orders one in ten is due, and one in ten has an unsent event. A"
    " sweep page is page two of both lists; its due orders are claimed, then released."
)
SHARDS_NOTE = (
    "On Redis and DynamoDB a list has eight shards, and a page reads up to 51 entries"
    " of each: a thousand orders do not have that many."
)

Samples = Mapping[str, Sequence[list[float]]]


def measure(environment: BenchEnvironment) -> Measured:
    """Fills stores of each size, and runs each operation on them in turn."""
    sizes = SMOKE_SIZES if environment.is_smoke else SIZES
    figures: list[Figure] = []
    notes = [MIX_NOTE, SHARDS_NOTE]
    with tempfile.TemporaryDirectory(dir=environment.folder) as folder:
        stores = _fill_sqlite(Path(folder), sizes)
        figures += _compare_times("SQLite", _time(environment, stores), sizes)
    port = find_free_port()
    try:
        with start_redis_node(environment.folder, port=port):
            stores = _fill_redis(port, sizes)
            figures += _compare_times("Redis", _time(environment, stores), sizes)
    except ToolUnavailableError as missing:
        notes.append(f"Redis was not measured: {missing}.")
    requests, note = _count_requests(environment, sizes[:2])
    return [*figures, *requests], [*notes, note]


def _fill_sqlite(folder: Path, sizes: Sequence[int]) -> list[FilledStore]:
    stores = []
    for size in sizes:
        path = folder / f"{size}.db"
        fill_sqlite(path, _orders(size))
        stores.append(FilledStore(ResourceUrl("sqlite", f"/{path}"), {}, size=size))
    return stores


def _fill_redis(port: int, sizes: Sequence[int]) -> list[FilledStore]:
    stores = []
    for database, size in enumerate(sizes):
        fill_redis(port, database, _orders(size))
        url = ResourceUrl("redis", f"127.0.0.1:{port}/{database}")
        stores.append(FilledStore(url, {}, size=size))
    return stores


def _fill_tables(
    environment: BenchEnvironment, sizes: Sequence[int]
) -> list[FilledStore]:
    settings = aws_settings(environment.endpoints, {})
    stores = []
    for size in sizes:
        name = f"stored-{size:07}"  # the same length in all requests
        fill_dynamodb(environment.aws_services, name, _orders(size))
        stores.append(FilledStore(ResourceUrl("dynamodb", name), settings, size=size))
    return stores


def _orders(size: int) -> Iterator[OrderRecord]:
    now = datetime.now(timezone.utc)  # noqa: TID251 - the clock of the stores here
    return make_orders(size, now=now)


def _time(environment: BenchEnvironment, stores: Sequence[FilledStore]) -> Samples:
    """Returns the seconds of each operation, store by store."""
    samples: dict[str, list[list[float]]] = {
        name: [[] for _ in stores] for name in stores[0].operations
    }
    for _ in environment.rounds(TURNS):
        for store in stores:
            store.find_second_pages()
        for name, by_store in samples.items():
            for _ in range(1 if name == SWEEP else QUICK_CALLS):
                for store, seconds in zip(stores, by_store, strict=True):
                    seconds.append(_seconds(store.operations[name]))
    return samples


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _compare_times(store: str, samples: Samples, sizes: Sequence[int]) -> list[Figure]:
    """Compares the largest and the middle store with the smallest."""
    small, middle, large = sizes
    figures = []
    for name, (few, some, many) in samples.items():
        names = (f"{large:,}", f"{small:,}")
        label = f"{store}, {name}"
        figures.append(compare(label, many, few, goal=MAX_TIME_RATIO, names=names))
        names = (f"{middle:,}", f"{small:,}")
        figures.append(compare(f"{label}, {middle:,}", some, few, names=names))
    return figures


def _count_requests(
    environment: BenchEnvironment, sizes: Sequence[int]
) -> tuple[list[Figure], str]:
    """Compares the requests of each operation on two tables; shows the worst ratio."""
    tables = _fill_tables(environment, sizes)
    few, many = (_count_operations(environment, table) for table in tables)
    names = tuple(f"{size:,}" for size in sizes)
    figures = [
        Figure(
            label=f"DynamoDB, {what}",
            measured=max(
                _total(many[each], suffix) / _total(few[each], suffix) for each in few
            ),
            goal=goal,
            unit="×",
            medians={
                f"{name} at {size}": _total(counts[name], suffix)
                for name in few
                for size, counts in zip(names, (few, many), strict=True)
            },
        )
        for what, suffix, goal in (
            ("requests", "", MAX_REQUEST_RATIO),
            ("request bytes", ": request bytes", MAX_REQUEST_RATIO),
            ("response bytes", ": response bytes", None),
        )
    ]
    return figures, f"DynamoDB's requests: {'; '.join(_describe(many))}."


def _count_operations(
    environment: BenchEnvironment, store: FilledStore
) -> dict[str, Counter[str]]:
    store.find_second_pages()
    counts = {}
    for name, work in store.operations.items():
        before = environment.aws_services.counters()
        work()
        counts[name] = environment.aws_services.counters() - before
    return counts


def _total(counts: Mapping[str, float], suffix: str) -> float:
    return sum(counts[f"{request}{suffix}"] for request in REQUESTS)


def _describe(operations: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    for name, counts in operations.items():
        each = (f"{counts[kind]} {kind}" for kind in REQUESTS if counts[kind])
        yield f"{name} {', '.join(each)}"


GOAL = Goal("G14", "many stored orders ÷ few", measure)
