"""Computes the time and cost of an order, and how many orders a second are possible."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from bench.scale.inputs import Assumed, Inputs, Limit, Measured

MILLION = 1_000_000
GIGA = 1_000_000_000


class Invocation(Struct, frozen=True, kw_only=True):
    """One call of collect_results with `orders` orders, `in_flight` at a time."""

    megabytes: int
    orders: int
    in_flight: int


class Ceiling(Struct, frozen=True, kw_only=True):
    """Orders a second that one resource allows."""

    name: str
    orders_per_second: float


def core_share(assumed: Assumed, megabytes: int) -> float:
    """Returns the share of a core that a function with this memory has."""
    return min(1.0, megabytes / assumed.megabytes_per_core)


def order_seconds(measured: Measured, assumed: Assumed) -> float:
    """Returns the seconds that one order waits for its calls, in sequence."""
    trips = sum(measured.counted.trips.values())
    return assumed.upstream_seconds + trips * assumed.trip_seconds


def invocation_seconds(
    invocation: Invocation, measured: Measured, assumed: Assumed
) -> float:
    """Returns the billed seconds of an invocation: waiting in rounds, plus CPU."""
    rounds = -(-invocation.orders // invocation.in_flight)
    waiting = rounds * order_seconds(measured, assumed)
    share = core_share(assumed, invocation.megabytes)
    return waiting + invocation.orders * measured.cpu_seconds / share


def aws_costs(
    invocation: Invocation, measured: Measured, inputs: Inputs
) -> Mapping[str, float]:
    """Returns dollars per million orders, with storage for the first month."""
    prices = {name: each.price for name, each in inputs.prices["aws"].items()}
    assumed, counted = inputs.assumed, measured.counted
    alone = invocation.orders == 1
    logged = counted.log_bytes if alone else counted.log_bytes_in_batch
    logged += assumed.lambda_log_bytes / invocation.orders
    return {
        "Lambda, time": _gigabyte_seconds(invocation, measured, assumed)
        * prices["lambda_gb_second"],
        "Lambda, invocations": prices["lambda_requests"] / invocation.orders,
        "SQS": (1 + 2 / invocation.orders) * prices["sqs_requests"],
        "DynamoDB, writes": counted.write_units * prices["dynamodb_write_units"],
        "DynamoDB, reads": counted.read_units * prices["dynamodb_read_units"],
        "DynamoDB, rows kept a month": measured.row_bytes
        * MILLION
        / GIGA
        * prices["dynamodb_storage"],
        "S3, puts": counted.trips["put"] * prices["s3_puts"],
        "S3, photos kept a month": _photo_gigabytes(assumed) * prices["s3_storage"],
        "EventBridge": prices["eventbridge_events"],
        "CloudWatch Logs": logged * MILLION / GIGA * prices["logs_ingested"],
    }


def tencent_costs(
    invocation: Invocation, measured: Measured, inputs: Inputs
) -> Mapping[str, float]:
    """Returns dollars per million orders, with storage for the first month."""
    prices = {name: each.price for name, each in inputs.prices["tencent"].items()}
    assumed, counted = inputs.assumed, measured.counted
    alone = invocation.orders == 1
    logged = counted.log_bytes if alone else counted.log_bytes_in_batch
    gigabytes = logged * MILLION / GIGA
    return {
        "SCF, time": _gigabyte_seconds(invocation, measured, assumed)
        * prices["scf_gb_second"],
        "SCF, invocations": prices["scf_requests"] / invocation.orders,
        "COS, puts": counted.trips["put"] * prices["cos_puts"],
        "COS, photos kept a month": _photo_gigabytes(assumed) * prices["cos_storage"],
        "EventBridge": prices["eb_events"],
        "CLS": gigabytes
        * (prices["cls_written"] / assumed.cls_compression + prices["cls_indexed"]),
    }


def fixed_costs(counts: Mapping[str, int], inputs: Inputs) -> Mapping[str, float]:
    """Returns the fixed dollars a month."""
    aws, tencent = inputs.prices["aws"], inputs.prices["tencent"]
    return {
        f"AWS: {counts['metric']} metrics": counts["metric"] * aws["metric"].price,
        f"AWS: {counts['alarm']} alarms": counts["alarm"] * aws["alarm"].price,
        f"AWS: {counts['secret']} secrets": counts["secret"] * aws["secret"].price,
        "Tencent: CKafka": tencent["ckafka"].price,
        "Tencent: Redis": tencent["redis"].price,
    }


def fleet_ceilings(
    workers: int, in_flight: int, megabytes: int, measured: Measured, assumed: Assumed
) -> list[Ceiling]:
    """Returns what the upstream cap and the CPU of its workers allow."""
    share = core_share(assumed, megabytes)
    waiting = order_seconds(measured, assumed)
    return [
        Ceiling(name="upstream cap", orders_per_second=workers * in_flight / waiting),
        Ceiling(
            name=f"CPU at {megabytes} MB",
            orders_per_second=workers * share / measured.cpu_seconds,
        ),
    ]


def quota_ceilings(
    invocation: Invocation, measured: Measured, inputs: Inputs
) -> Iterator[tuple[Limit, Ceiling]]:
    """Yields what each default quota of an account allows."""
    seconds = invocation_seconds(invocation, measured, inputs.assumed)
    shards, index_writes = 8, 4  # an entry of each list is added and removed
    each = {
        "lambda_concurrency": ("Lambda concurrency", seconds / invocation.orders),
        "table_writes": ("DynamoDB table", measured.counted.write_units),
        "part_writes": ("DynamoDB index", index_writes / shards),
        "bucket_puts": ("S3", measured.counted.trips["put"]),
        "bus_events": ("EventBridge", 1.0),
    }
    for key, (name, needed) in each.items():
        limit = inputs.limits[key]
        yield limit, Ceiling(name=name, orders_per_second=limit.limit / needed)


def _gigabyte_seconds(
    invocation: Invocation, measured: Measured, assumed: Assumed
) -> float:
    """Returns gigabyte-seconds per million orders."""
    seconds = invocation_seconds(invocation, measured, assumed)
    return seconds / invocation.orders * MILLION * invocation.megabytes / 1024


def _photo_gigabytes(assumed: Assumed) -> float:
    """Returns the gigabytes of a million orders' photos."""
    return assumed.photos * assumed.photo_bytes * MILLION / GIGA
