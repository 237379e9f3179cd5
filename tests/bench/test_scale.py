"""The model of the fleet: its arithmetic, its inputs and its page."""

import pytest
from bench.emulators.request_units import item_size, read_units, write_units
from bench.report.markers import replace_parts
from bench.scale import model
from bench.scale.inputs import (
    Assumed,
    Inputs,
    Measured,
    Price,
    read_inputs,
)
from bench.scale.model import Invocation
from bench.scale.page import PAGE, build_parts
from bench.scale.per_order import PerOrder

COUNTED = PerOrder(
    trips={"GetItem": 1, "UpdateItem": 3, "PutEvents": 1, "put": 5},
    write_units=8,
    read_units=2,
    log_bytes=1000,
    log_bytes_in_batch=500,
)
MEASURED = Measured(cpu_seconds=0.1, cpu_of="a test", row_bytes=2000, counted=COUNTED)
ASSUMED = Assumed(
    photo_bytes=1_000_000,
    photos=2,
    upstream_seconds=0.5,
    trip_seconds=0.01,
    batch=10,
    megabytes_per_core=1024,
    cls_compression=4,
    lambda_log_bytes=1000,
)
SINGLE = Invocation(megabytes=512, orders=1, in_flight=1)
BATCH = Invocation(megabytes=512, orders=10, in_flight=5)


def inputs(price: float) -> Inputs:
    prices = {
        cloud: {name: Price(price, "one", "a test") for name in names}
        for cloud, names in read_inputs().prices.items()
    }
    return Inputs(prices=prices, assumed=ASSUMED, limits=read_inputs().limits)


def test_page_is_up_to_date():
    text = PAGE.read_text("utf-8")

    assert replace_parts(text, build_parts()) == text


def test_invocation_waits_for_its_calls_in_rounds_and_adds_cpu_at_its_share_of_core():
    alone = model.invocation_seconds(SINGLE, MEASURED, ASSUMED)
    ten = model.invocation_seconds(BATCH, MEASURED, ASSUMED)

    assert alone == pytest.approx(0.5 + 10 * 0.01 + 0.1 * 2)
    assert ten == pytest.approx(2 * 0.6 + 10 * 0.1 * 2)


def test_aws_costs_of_million_orders():
    costs = model.aws_costs(SINGLE, MEASURED, inputs(1))

    assert costs == pytest.approx(
        {
            "Lambda, time": 0.8 * 0.5 * 1e6,
            "Lambda, invocations": 1,
            "SQS": 3,
            "DynamoDB, writes": 8,
            "DynamoDB, reads": 2,
            "DynamoDB, rows kept a month": 2,
            "S3, puts": 5,
            "S3, photos kept a month": 2000,
            "EventBridge": 1,
            "CloudWatch Logs": 2,
        }
    )


def test_tencent_costs_of_million_orders_in_batches():
    costs = model.tencent_costs(BATCH, MEASURED, inputs(1))

    assert costs == pytest.approx(
        {
            "SCF, time": 0.32 * 0.5 * 1e6,
            "SCF, invocations": 0.1,
            "COS, puts": 5,
            "COS, photos kept a month": 2000,
            "EventBridge": 1,
            "CLS": 0.5 * (1 / 4 + 1),
        }
    )


def test_fleet_is_limited_by_upstream_cap_and_cpu():
    cap, cpu = model.fleet_ceilings(2, 6, 512, MEASURED, ASSUMED)

    assert (cap.name, cap.orders_per_second) == ("upstream cap", pytest.approx(20))
    assert (cpu.name, cpu.orders_per_second) == ("CPU at 512 MB", pytest.approx(10))


def test_quotas_are_divided_by_use_of_one_order():
    found = model.quota_ceilings(SINGLE, MEASURED, inputs(1))
    rates = {ceiling.name: ceiling.orders_per_second for _, ceiling in found}

    assert rates["DynamoDB table"] == pytest.approx(4000 / 8)
    assert rates["S3"] == pytest.approx(3500 / 5)
    assert rates["Lambda concurrency"] == pytest.approx(1000 / 0.8)


ITEM = {"pk": {"S": "k" * 100}, "record": {"B": "AAAA" * 250}, "version": {"N": "1"}}


def test_item_size_counts_names_and_values_without_base64():
    assert item_size(ITEM) == 2 + 100 + 6 + 750 + 7 + 1


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        ({}, ITEM, 1),
        (ITEM, {**ITEM, "more": {"S": "x" * 200}}, 2),
        ({**ITEM, "more": {"S": "x" * 200}}, ITEM, 2),
        ({}, {**ITEM, "part": {"S": "p"}, "entry": {"S": "e"}}, 2),
        (
            {**ITEM, "part": {"S": "p"}, "entry": {"S": "e"}},
            {**ITEM, "part": {"S": "p"}, "entry": {"S": "f"}},
            3,
        ),
        ({**ITEM, "part": {"S": "p"}, "entry": {"S": "e"}}, ITEM, 2),
    ],
    ids=["new", "grows", "shrinks", "new entry", "moved entry", "entry gone"],
)
def test_write_is_billed_by_larger_item_and_index_entries(before, after, units):
    assert write_units(before, after) == units


def test_read_is_billed_by_four_kilobytes_even_if_item_is_missing():
    assert read_units({}) == read_units(ITEM) == 1
    assert read_units({"record": {"S": "x" * 5000}}) == 2
