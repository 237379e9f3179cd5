"""The model of the fleet: its arithmetic, its inputs, and the page that shows it."""

import re
from datetime import datetime, timezone

import pytest
from bench.filling.orders import SHARES, make_orders, name_order
from bench.scale import model
from bench.scale.count import PerOrder
from bench.scale.inputs import (
    TEMPLATE,
    Assumed,
    Inputs,
    Measured,
    Price,
    count_fixed,
    read_caps,
    read_inputs,
)
from bench.scale.model import Invocation
from bench.scale.page import PAGE, build_parts, replace_parts
from bench.stand_ins.units import size_of, units_read, units_written

MOST_COLUMNS = 110
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
ALONE = Invocation(megabytes=512, orders=1, in_flight=1)
TEN = Invocation(megabytes=512, orders=10, in_flight=5)


def inputs(price: float) -> Inputs:
    prices = {
        cloud: {name: Price(price, "one", "a test") for name in names}
        for cloud, names in read_inputs().prices.items()
    }
    return Inputs(prices=prices, assumed=ASSUMED, limits=read_inputs().limits)


def test_page_shows_what_the_model_computes():
    text = PAGE.read_text("utf-8")

    assert replace_parts(text, build_parts()) == text


def test_tables_of_the_page_are_narrow():
    lines = PAGE.read_text("utf-8").splitlines()
    tables = [line for line in lines if line.startswith("|")]

    assert max(map(len, tables)) <= MOST_COLUMNS


def test_order_waits_for_the_platform_and_for_each_of_its_calls():
    assert model.order_seconds(MEASURED, ASSUMED) == pytest.approx(0.5 + 10 * 0.01)


def test_invocation_takes_its_cpu_at_its_share_of_a_core_and_waits_in_rounds():
    alone = model.invocation_seconds(ALONE, MEASURED, ASSUMED)
    ten = model.invocation_seconds(TEN, MEASURED, ASSUMED)

    assert alone == pytest.approx(0.6 + 0.1 * 2)
    assert ten == pytest.approx(2 * 0.6 + 10 * 0.1 * 2)


def test_more_memory_than_a_core_gives_no_more_than_a_core():
    assert model.core_share(ASSUMED, 2048) == 1


def test_costs_of_a_million_orders_on_aws():
    costs = model.aws_costs(ALONE, MEASURED, inputs(1))

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


def test_costs_of_a_million_orders_on_tencent_in_batches():
    costs = model.tencent_costs(TEN, MEASURED, inputs(1))

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


def test_first_limit_of_a_fleet_is_the_lower_one():
    cap, cpu = model.fleet_ceilings(2, 6, 512, MEASURED, ASSUMED)

    assert (cap.name, cap.orders_per_second) == ("upstream cap", pytest.approx(20))
    assert (cpu.name, cpu.orders_per_second) == ("CPU at 512 MB", pytest.approx(10))


def test_quotas_are_divided_by_what_an_order_takes_of_them():
    found = model.quota_ceilings(ALONE, MEASURED, inputs(1))
    rates = {ceiling.name: ceiling.orders_per_second for _, ceiling in found}

    assert rates["DynamoDB table"] == pytest.approx(4000 / 8)
    assert rates["S3"] == pytest.approx(3500 / 5)
    assert rates["Lambda concurrency"] == pytest.approx(1000 / 0.8)


def test_caps_are_the_templates_and_stay_below_themselves():
    caps = read_caps()

    assert list(caps) == [10, 20, 50, 100, 200]
    assert caps[20] == (2, 6)
    for cap, (workers, in_flight) in caps.items():
        assert (workers + 1) * in_flight + 1 <= cap


def test_what_is_paid_by_the_month_is_counted_in_the_template():
    text = TEMPLATE.read_text("utf-8")
    counts = count_fixed()

    assert counts["alarm"] == len(re.findall(r"(?m)^  \w+Alarm:( #.*)?$", text))
    assert counts["secret"] == 3
    assert counts["metric"] > 20


def test_every_price_and_quota_says_where_it_is_from():
    found = read_inputs()
    sources = [each.source for kind in found.prices.values() for each in kind.values()]
    sources += [limit.source for limit in found.limits.values()]

    assert all(re.search(r"[0-9]{4}|copy|remembered|guess", each) for each in sources)


ITEM = {"pk": {"S": "k" * 100}, "record": {"B": "AAAA" * 250}, "version": {"N": "1"}}


def test_items_size_is_names_and_values_without_base64():
    assert size_of(ITEM) == 2 + 100 + 6 + 750 + 7 + 1


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
def test_write_is_billed_by_the_larger_size_and_its_entries(before, after, units):
    assert units_written(before, after) == units


def test_read_is_billed_by_four_kilobytes_and_an_absent_item_too():
    assert units_read({}) == units_read(ITEM) == 1
    assert units_read({"record": {"S": "x" * 5000}}) == 2


def test_row_of_the_model_is_one_that_is_never_due_again():
    *_, last = make_orders(SHARES, now=datetime(2026, 1, 1, tzinfo=timezone.utc))

    assert (last.order_no, last.due_at) == (name_order(SHARES - 1), None)
    assert all(event.sent for event in last.events)
