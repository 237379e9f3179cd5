"""G14: what the state store takes when very many orders stand in it.

On SQLite and Redis the time, three sizes in turn; on DynamoDB's stand-in, which
searches as no table does, the number and size of the requests.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from bench.environments import aws_environ
from bench.figures import Figure, compare
from bench.filling.asked import Asked
from bench.filling.dynamodb import fill_dynamodb
from bench.filling.orders import make_orders
from bench.filling.redis import fill_redis
from bench.filling.sqlite import fill_sqlite
from bench.goal import Goal, Measured
from bench.stage import Stage
from kycourier.core.order_record import OrderRecord
from kycourier.setting_forms import Place
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.stand_ins.servers import find_free_port, start_redis_node

MOST, EQUAL = 1.5, 1
SIZES, SMOKE_SIZES = (1_000, 100_000, 1_000_000), (1_000, 1_500, 2_000)
TURNS = 30
QUICK_CALLS = 8  # in a turn, of each operation but a sweep's page
KINDS = ("GetItem", "UpdateItem", "Query", "BatchGetItem")
SWEEP = "sweep page"
MIX = (
    "Of the stored orders one in ten is due, and one in ten has its event unsent. A"
    " sweep's page is the second of both lists, its due orders claimed and put back."
)
SHARDS = (
    "On Redis and DynamoDB a list lies in eight parts, and a page reads up to 51"
    " entries of each: among a thousand orders there are not that many."
)

Samples = Mapping[str, Sequence[list[float]]]


def measure(stage: Stage) -> Measured:
    """Fill stores of each size, and ask them in turn."""
    sizes = SMOKE_SIZES if stage.is_smoke else SIZES
    figures: list[Figure] = []
    notes = [MIX, SHARDS]
    with tempfile.TemporaryDirectory(dir=stage.folder) as folder:
        stores = _fill_sqlite(Path(folder), sizes)
        figures += _judge("SQLite", _time(stage, stores), sizes)
    port = find_free_port()
    try:
        with start_redis_node(stage.folder, port=port):
            stores = _fill_redis(port, sizes)
            figures += _judge("Redis", _time(stage, stores), sizes)
    except ToolMissing as missing:
        notes.append(f"Redis was not measured: {missing}.")
    counted, told = _count(stage, sizes[:2])
    return [*figures, *counted], [*notes, told]


def _fill_sqlite(folder: Path, sizes: Sequence[int]) -> list[Asked]:
    stores = []
    for size in sizes:
        path = folder / f"{size}.db"
        fill_sqlite(path, _orders(size))
        stores.append(Asked(Place("sqlite", f"/{path}"), {}, size=size))
    return stores


def _fill_redis(port: int, sizes: Sequence[int]) -> list[Asked]:
    stores = []
    for database, size in enumerate(sizes):
        fill_redis(port, database, _orders(size))
        place = Place("redis", f"127.0.0.1:{port}/{database}")
        stores.append(Asked(place, {}, size=size))
    return stores


def _fill_tables(stage: Stage, sizes: Sequence[int]) -> list[Asked]:
    environ = aws_environ(stage.places, {})
    stores = []
    for size in sizes:
        name = f"stored-{size:07}"  # the same length in all requests
        fill_dynamodb(stage.services, name, _orders(size))
        stores.append(Asked(Place("dynamodb", name), environ, size=size))
    return stores


def _orders(size: int) -> Iterator[OrderRecord]:
    now = datetime.now(timezone.utc)  # noqa: TID251 - by which all stores go here
    return make_orders(size, now=now)


def _time(stage: Stage, stores: Sequence[Asked]) -> Samples:
    """Ask all stores in turn; give each operation's seconds, store by store."""
    found: dict[str, list[list[float]]] = {
        name: [[] for _ in stores] for name in stores[0].operations
    }
    for _ in stage.steps(TURNS):
        for store in stores:
            store.find_second_pages()
        for name, samples in found.items():
            for _ in range(1 if name == SWEEP else QUICK_CALLS):
                for store, kept in zip(stores, samples, strict=True):
                    kept.append(_seconds(store.operations[name]))
    return found


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _judge(where: str, found: Samples, sizes: Sequence[int]) -> list[Figure]:
    """Compare the largest store with the smallest, and the middle one beside it."""
    small, middle, large = sizes
    figures = []
    for name, (few, some, many) in found.items():
        names = (f"{large:,}", f"{small:,}")
        label = f"{where}, {name}"
        figures.append(compare(label, many, few, goal=MOST, names=names))
        names = (f"{middle:,}", f"{small:,}")
        figures.append(compare(f"{label}, {middle:,}", some, few, names=names))
    return figures


def _count(stage: Stage, sizes: Sequence[int]) -> tuple[list[Figure], str]:
    """Count what each operation asks of the table; compare the worst of them."""
    few, many = (_count_all(stage, each) for each in _fill_tables(stage, sizes))
    names = tuple(f"{size:,}" for size in sizes)
    figures = [
        Figure(
            label=f"DynamoDB, {what}",
            measured=max(
                _total(many[each], end) / _total(few[each], end) for each in few
            ),
            goal=goal,
            unit="×",
            medians={
                f"{name} at {size}": _total(counts[name], end)
                for name in few
                for size, counts in zip(names, (few, many), strict=True)
            },
        )
        for what, end, goal in (
            ("requests", "", EQUAL),
            ("bytes asked", ": bytes asked", EQUAL),
            ("bytes answered", ": bytes answered", None),
        )
    ]
    return figures, f"DynamoDB's requests: {'; '.join(_tell(many))}."


def _count_all(stage: Stage, store: Asked) -> dict[str, Counter[str]]:
    store.find_second_pages()
    counted = {}
    for name, work in store.operations.items():
        before = stage.services.counts()
        work()
        counted[name] = stage.services.counts() - before
    return counted


def _total(counts: Mapping[str, float], end: str) -> float:
    return sum(counts[f"{kind}{end}"] for kind in KINDS)


def _tell(counted: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    for name, counts in counted.items():
        each = (f"{counts[k]} {k}" for k in KINDS if counts[k])
        yield f"{name} {', '.join(each)}"


GOAL = Goal("G14", "many stored orders ÷ few", measure)
