"""What the model starts from: prices, assumptions and limits, and what was measured."""

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.filling.orders import SHARES, make_orders
from bench.results import read_results
from bench.scale.count import PerOrder, read_count
from kycourier.core.order_record import encode_record
from kycourier.core.outcomes import EFFECTS
from kycourier.logs import FACTS

FILE = Path(__file__).with_name("inputs.yml")
TEMPLATE = Path(__file__).parents[2] / "template.yaml"
_SIZES = {200_000: "3×200 KB", 500_000: "3×500 KB", 1_500_000: "3×1.5 MB"}


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars for one `unit`."""

    price: float
    unit: str
    source: str


class Limit(Struct, frozen=True, forbid_unknown_fields=True):
    """What a fresh account is given, and how it is raised."""

    limit: float
    unit: str
    source: str
    raise_: str = msgspec.field(name="raise")


class Assumed(Struct, frozen=True, forbid_unknown_fields=True):
    """What nothing here measures."""

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
    """What one order takes: seconds of a whole core, and what was counted."""

    cpu_seconds: float
    cpu_of: str
    row_bytes: int
    counted: PerOrder


def read_inputs() -> Inputs:
    """Read the file that a person may change."""
    return msgspec.yaml.decode(FILE.read_bytes(), type=Inputs)


def read_measured(photo_bytes: int) -> Measured:
    """Take an order's CPU from the bench's last run, on AWS's adapters."""
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
        counted=read_count(),
    )


def _measure_row() -> int:
    """Give the bytes of a collected order's row."""
    now = datetime(2026, 11, 30, 12, 0, 0, 1, tzinfo=timezone.utc)
    *_, collected = make_orders(SHARES, now=now)
    return len(encode_record(collected))


def read_caps() -> Mapping[int, tuple[int, int]]:
    """Read from the template what each upstream cap allows.

    Gives workers at once, and orders that each works on side by side.
    """
    _, _, rest = TEMPLATE.read_text("utf-8").partition("\n  UpstreamCaps:\n")
    rows, _, _ = rest.partition("\n\n")
    mapping = msgspec.yaml.decode(rows.encode())
    return {
        int(cap): (int(row["Concurrency"]), int(row["InFlight"]))
        for cap, row in mapping.items()
    }


def count_fixed() -> Mapping[str, int]:
    """Count in template and code what is paid by the month, whatever is collected."""
    text = TEMPLATE.read_text("utf-8")
    metrics = {name for fact in FACTS.values() for name in fact.metrics}
    metrics |= {effect.metric for effect in EFFECTS.values()}
    return {
        "alarm": text.count("Type: AWS::CloudWatch::Alarm"),
        "secret": text.count("Type: AWS::SecretsManager::Secret\n"),
        "metric": len(metrics),
    }
