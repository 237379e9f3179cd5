"""Generates the tables of docs/scale.md."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.load.markdown import format_run
from bench.load.results import read_run
from bench.report.formatting import format_value
from bench.report.markers import replace_parts
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


def write_page() -> None:
    """Rewrites the page from inputs and measurements."""
    PAGE.write_text(replace_parts(PAGE.read_text("utf-8"), build_parts()), "utf-8")


def build_parts() -> dict[str, str]:
    """Returns the generated parts by the names of their markers."""
    inputs = read_inputs()
    measured = read_measured(inputs.assumed.photo_bytes)
    return {
        "order": "\n".join(_order(inputs, measured)),
        "cap": "\n".join(_caps(inputs, measured)),
        "quotas": "\n".join(_quotas(inputs, measured)),
        "costs": "\n".join(_costs(inputs, measured)),
        "prices": "\n".join(_prices(inputs)),
        "load": format_run(read_run()),
    }


def _order(inputs: Inputs, measured: Measured) -> Iterator[str]:
    counted, assumed = measured.counted, inputs.assumed
    trips = ", ".join(f"{count:.2f} {name}" for name, count in counted.trips.items())
    waiting = model.order_seconds(measured, assumed)
    yield "| One order | | Source |"
    yield "|---|---|---|"
    milliseconds = measured.cpu_seconds * 1000
    yield f"| CPU, of a whole core | {milliseconds:.1f} ms | {measured.cpu_of} |"
    yield f"| calls | {trips} | counted |"
    yield (
        f"| table | {counted.write_units:.2f} write units, {counted.read_units:.2f}"
        " read units | counted |"
    )
    yield (
        f"| log lines | {counted.log_bytes:.0f} bytes,"
        f" {counted.log_bytes_in_batch:.0f} in a batch | counted |"
    )
    yield (
        f"| waiting | {waiting:.3f} s | assumed: platform {assumed.upstream_seconds} s,"
        f" each call {assumed.trip_seconds * 1000:.0f} ms |"
    )
    yield f"| its row at the end | {measured.row_bytes:,} bytes | computed |"
    yield f"| photos | {assumed.photos} × {assumed.photo_bytes:,} bytes | assumed |"


def _caps(inputs: Inputs, measured: Measured) -> Iterator[str]:
    yield (
        "| `UpstreamCap` | Workers × in flight | By the cap | CPU, 512 MB |"
        " CPU, 1024 MB | Limit at 512 MB |"
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
        rates = " | ".join(format_value(rate) for rate in (by_cap, *by_cpu))
        yield f"| {cap} | {workers} × {in_flight} | {rates} | {first.name} |"


def _quotas(inputs: Inputs, measured: Measured) -> Iterator[str]:
    yield "| Default quota | | Orders a second | How to raise it |"
    yield "|---|---|---|---|"
    single = Invocation(megabytes=SIZES[0], orders=1, in_flight=1)
    found = model.quota_ceilings(single, measured, inputs)
    for limit, ceiling in sorted(found, key=lambda each: each[1].orders_per_second):
        yield (
            f"| {ceiling.name} | {limit.limit:,.0f} {limit.unit} |"
            f" {ceiling.orders_per_second:,.0f} | {limit.raise_} |"
        )


def _costs(inputs: Inputs, measured: Measured) -> Iterator[str]:
    _, in_flight = read_caps()[USUAL_CAP]
    options = [
        Invocation(megabytes=size, orders=orders, in_flight=in_flight)
        for size in SIZES
        for orders in (1, inputs.assumed.batch)
    ]
    headings = [f"{option.megabytes} MB, {_batch(option)}" for option in options]
    for cloud, costs in (
        (CLOUDS["aws"], model.aws_costs),
        (CLOUDS["tencent"], model.tencent_costs),
    ):
        columns = [costs(option, measured, inputs) for option in options]
        yield f"| {cloud}, US$/million | {' | '.join(headings)} |"
        yield f"|---|{'---|' * len(options)}"
        for name in columns[0]:
            yield f"| {name} | {_dollars(column[name] for column in columns)} |"
        totals = [sum(column.values()) for column in columns]
        yield f"| **all** | {_dollars(totals)} |"
        yield ""
    yield "| Fixed, per month | US$ |"
    yield "|---|---|"
    for name, dollars in model.fixed_costs(count_fixed(), inputs).items():
        yield f"| {name} | {dollars:.2f} |"


def _batch(option: Invocation) -> str:
    return "single" if option.orders == 1 else f"batch of {option.orders}"


def _dollars(values: Iterable[float]) -> str:
    return " | ".join(f"{value:.2f}" for value in values)


def _prices(inputs: Inputs) -> Iterator[str]:
    for cloud, prices in inputs.prices.items():
        yield f"| {CLOUDS[cloud]} | US$ | Unit | Source |"
        yield "|---|---|---|---|"
        for name, price in prices.items():
            dollars = f"{price.price:.10f}".rstrip("0").rstrip(".")
            item = name.replace("_", " ")
            yield f"| {item} | {dollars} | {price.unit} | {price.source} |"
        yield ""
    yield "| Quota | Source |"
    yield "|---|---|"
    for name, limit in inputs.limits.items():
        yield f"| {name.replace('_', ' ')} | {limit.source} |"
