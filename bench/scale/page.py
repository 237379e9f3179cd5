"""docs/scale.md: its generated parts."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bench.load.results import read_run
from bench.load.words import spell_run
from bench.results import spell
from bench.scale import model
from bench.scale.inputs import (
    Inputs,
    Measured,
    count_fixed,
    read_caps,
    read_inputs,
    read_measured,
)
from bench.scale.model import Invocation

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
SIZES = (512, 1024)
USUAL_CAP = 20
CLOUDS = {"aws": "AWS", "tencent": "Tencent Cloud"}
Costs = Mapping[str, float]


def renew() -> None:
    """Write the page as inputs and measurements have it."""
    PAGE.write_text(replace_parts(PAGE.read_text("utf-8"), build_parts()), "utf-8")


def build_parts() -> dict[str, str]:
    """Build what stands between the markers, by their names."""
    inputs = read_inputs()
    measured = read_measured(inputs.assumed.photo_bytes)
    return {
        "order": "\n".join(_order(inputs, measured)),
        "cap": "\n".join(_caps(inputs, measured)),
        "quotas": "\n".join(_quotas(inputs, measured)),
        "costs": "\n".join(_costs(inputs, measured)),
        "prices": "\n".join(_prices(inputs)),
        "load": spell_run(read_run()),
    }


def replace_parts(text: str, parts: Mapping[str, str]) -> str:
    """Give the page with its generated parts made anew."""
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{part}\n{end}{after}"
    return text


def _order(inputs: Inputs, measured: Measured) -> Iterator[str]:
    counted, assumed = measured.counted, inputs.assumed
    trips = ", ".join(f"{count:.2f} {name}" for name, count in counted.trips.items())
    waiting = model.order_seconds(measured, assumed)
    yield "| One order | | Where from |"
    yield "|---|---|---|"
    milliseconds = measured.cpu_seconds * 1000
    yield f"| CPU, of a whole core | {milliseconds:.1f} ms | {measured.cpu_of} |"
    yield f"| calls | {trips} | counted |"
    yield (
        f"| table | {counted.write_units:.2f} write units, {counted.read_units:.2f}"
        " read units | counted |"
    )
    yield (
        f"| log lines | {counted.log_bytes:.0f} bytes alone,"
        f" {counted.log_bytes_in_batch:.0f} in a batch | counted |"
    )
    yield (
        f"| waiting | {waiting:.3f} s | assumed: platform {assumed.upstream_seconds} s,"
        f" each call {assumed.trip_seconds * 1000:.0f} ms |"
    )
    yield f"| its row at the end | {measured.row_bytes:,} bytes | by the rules |"
    yield f"| photos | {assumed.photos} × {assumed.photo_bytes:,} bytes | assumed |"


def _caps(inputs: Inputs, measured: Measured) -> Iterator[str]:
    yield (
        "| `UpstreamCap` | Workers × side by side | By the cap | CPU, 512 MB |"
        " CPU, 1024 MB | First at 512 MB |"
    )
    yield "|---|---|---|---|---|---|"
    for cap, (workers, in_flight) in read_caps().items():
        ceilings = [
            model.fleet_ceilings(workers, in_flight, size, measured, inputs.assumed)
            for size in SIZES
        ]
        by_cap, *by_cpu = (
            ceilings[0][0].orders_per_second,
            *(each[1].orders_per_second for each in ceilings),
        )
        first = min(ceilings[0], key=lambda each: each.orders_per_second)
        rates = " | ".join(spell(rate) for rate in (by_cap, *by_cpu))
        yield f"| {cap} | {workers} × {in_flight} | {rates} | {first.name} |"


def _quotas(inputs: Inputs, measured: Measured) -> Iterator[str]:
    yield "| Default of a fresh account | | Orders a second | What raises it |"
    yield "|---|---|---|---|"
    alone = Invocation(megabytes=SIZES[0], orders=1, in_flight=1)
    found = model.quota_ceilings(alone, measured, inputs)
    for limit, ceiling in sorted(found, key=lambda each: each[1].orders_per_second):
        yield (
            f"| {ceiling.name} | {limit.limit:,.0f} {limit.unit} |"
            f" {ceiling.orders_per_second:,.0f} | {limit.raise_} |"
        )


def _costs(inputs: Inputs, measured: Measured) -> Iterator[str]:
    _, in_flight = read_caps()[USUAL_CAP]
    ways = [
        Invocation(megabytes=size, orders=orders, in_flight=in_flight)
        for size in SIZES
        for orders in (1, inputs.assumed.batch)
    ]
    heads = [f"{way.megabytes} MB, {_how(way)}" for way in ways]
    for cloud, costs in (
        (CLOUDS["aws"], model.aws_costs),
        (CLOUDS["tencent"], model.tencent_costs),
    ):
        columns = [costs(way, measured, inputs) for way in ways]
        yield f"| {cloud}, US$ per million | {' | '.join(heads)} |"
        yield f"|---|{'---|' * len(ways)}"
        for name in columns[0]:
            yield f"| {name} | {_dollars(column[name] for column in columns)} |"
        totals = [sum(column.values()) for column in columns]
        yield f"| **all** | {_dollars(totals)} |"
        yield ""
    yield "| By the month, whatever is collected | US$ |"
    yield "|---|---|"
    for name, dollars in model.fixed_costs(count_fixed(), inputs).items():
        yield f"| {name} | {dollars:.2f} |"


def _how(way: Invocation) -> str:
    return "alone" if way.orders == 1 else f"by {way.orders}"


def _dollars(values: Iterable[float]) -> str:
    return " | ".join(f"{value:.2f}" for value in values)


def _prices(inputs: Inputs) -> Iterator[str]:
    for cloud, prices in inputs.prices.items():
        yield f"| {CLOUDS[cloud]} | US$ | For one | Where from |"
        yield "|---|---|---|---|"
        for name, price in prices.items():
            dollars = f"{price.price:.10f}".rstrip("0").rstrip(".")
            what = name.replace("_", " ")
            yield f"| {what} | {dollars} | {price.unit} | {price.source} |"
        yield ""
    yield "| Quota | Where from |"
    yield "|---|---|"
    for name, limit in inputs.limits.items():
        yield f"| {name.replace('_', ' ')} | {limit.source} |"
