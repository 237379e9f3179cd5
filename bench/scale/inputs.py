"""Inputs of the model: prices, assumptions and limits, and measured values."""

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.fill.orders import SHARES, make_orders
from bench.report.results import read_results
from bench.scale.per_order import PerOrder, read_counts
from kycourier.core.orders.outcomes import EFFECTS
from kycourier.core.orders.record import encode_record
from kycourier.logs import LOG_EVENTS

FILE = Path(__file__).with_name("inputs.yml")
TEMPLATE = Path(__file__).parents[2] / "template.yaml"
_SIZES = {200_000: "3×200 KB", 500_000: "3×500 KB", 1_500_000: "3×1.5 MB"}


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars for one `unit`."""

    price: float
    unit: str
    source: str


class Limit(Struct, frozen=True, forbid_unknown_fields=True):
    """A default quota of a new account, and how it is raised."""

    limit: float
    unit: str
    source: str
    raise_: str = msgspec.field(name="raise")


class Assumed(Struct, frozen=True, forbid_unknown_fields=True):
    """Values that are assumed, not measured."""

    photo_bytes: int
    photos: int
    upstream_seconds: float
    trip_seconds: float
    batch: int
    megabytes_per_core: int
    cls_compression: float
    lambda_log_bytes: float


class Inputs(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    prices: Mapping[str, Mapping[str, Price]]
    assumed: Assumed
    limits: Mapping[str, Limit]


class Measured(Struct, frozen=True, kw_only=True):
    """Seconds of a whole core, row size and counts of one order."""

    cpu_seconds: float
    cpu_of: str
    row_bytes: int
    counted: PerOrder


def read_inputs() -> Inputs:
    """Reads inputs.yml."""
    return msgspec.yaml.decode(FILE.read_bytes(), type=Inputs)


def read_measured(photo_bytes: int) -> Measured:
    """Returns an order's CPU from the stored results, and its counts."""
    results, label = read_results(), _SIZES[photo_bytes]
    figures = {
        figure.label: figure
        for report in results.reports
        if report.goal == "G6"
        for figure in report.figures
    }
    milliseconds = figures[label].medians["ours"]
    return Measured(
        cpu_seconds=milliseconds / 1000,
        cpu_of=f"{label}, run of {results.date}",
        row_bytes=_measure_row(),
        counted=read_counts(),
    )


def _measure_row() -> int:
    """Returns the bytes of a collected order's row."""
    now = datetime(2026, 11, 30, 12, 0, 0, 1, tzinfo=timezone.utc)
    *_, collected = make_orders(SHARES, now=now)
    return len(encode_record(collected))


def read_caps() -> Mapping[int, tuple[int, int]]:
    """Returns workers and orders in flight of each, by the template's upstream caps."""
    _, _, rest = TEMPLATE.read_text("utf-8").partition("\n  UpstreamCaps:\n")
    rows, _, _ = rest.partition("\n\n")
    mapping = msgspec.yaml.decode(rows.encode())
    return {
        int(cap): (int(row["Concurrency"]), int(row["InFlight"]))
        for cap, row in mapping.items()
    }


def count_fixed() -> Mapping[str, int]:
    """Counts the resources with a fixed monthly price in template and code."""
    text = TEMPLATE.read_text("utf-8")
    metrics = {name for fact in LOG_EVENTS.values() for name in fact.metrics}
    metrics |= {effect.metric for effect in EFFECTS.values()}
    return {
        "alarm": text.count("Type: AWS::CloudWatch::Alarm"),
        "secret": text.count("Type: AWS::SecretsManager::Secret\n"),
        "metric": len(metrics),
    }
