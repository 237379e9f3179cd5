"""DynamoDB access: consistent reads, no scans, continued pages, no surplus calls."""

from contextlib import suppress
from datetime import timedelta

import pytest

from kycourier.adapters.aws.dynamodb.table import open_table
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.orders import follow_up
from kycourier.core.orders.state_machine import Urgency
from support.aws.aws_proxy import (
    AwsCall,
    AwsResponse,
    Forward,
    drop_call,
    json_response,
    respond_error,
    respond_json,
)
from support.aws.clients import aws_context
from support.aws.dynamo_table import EXPIRY, FixedStoreClock
from support.fakes import START
from support.sample_records import APP, call_every_store_verb, draft, settled

LEASE = timedelta(seconds=60)

# claims


@pytest.mark.parametrize(
    ("urgency", "is_fresh", "calls"),
    [
        (Urgency.NOTIFIED, True, ["UpdateItem"]),
        (Urgency.NOW, True, ["GetItem", "UpdateItem"]),
        (Urgency.NOTIFIED, False, ["GetItem", "UpdateItem"]),
    ],
    ids=["new in a message", "may be registered", "after a freeze: reads the time"],
)
def test_claim_makes_no_surplus_call(dynamo, monkeypatch, urgency, is_fresh, calls):
    monkeypatch.setattr(FixedStoreClock, "is_fresh", lambda _: is_fresh)
    dynamo.proxy.reset()

    claimed = dynamo.stores.orders.claim(
        draft(), owner="one", lease=LEASE, urgency=urgency, folder="2026/01/01/a"
    )

    assert claimed.granted
    assert [call.name for call in dynamo.proxy.calls] == calls


# pages


def test_stale_index_entry_is_skipped(dynamo):
    old: list[AwsResponse] = []

    def keep(call: AwsCall, forward: Forward) -> AwsResponse:
        old.append(forward(call))
        return old[-1]

    claimed = dynamo.claim()
    dynamo.clock.sleep(60)
    dynamo.proxy.plan("Query", *[keep] * 8)
    assert dynamo.stores.orders.list_due(APP, limit=10).records == (claimed,)

    dynamo.stores.orders.commit(settled(claimed), expected=claimed)
    dynamo.proxy.plan("Query", *[lambda *_, at=at: old[at] for at in range(8)])

    assert sum(response.json["Count"] for response in old) == 1
    assert dynamo.stores.orders.list_due(APP, limit=10).records == ()


def test_index_entry_without_a_row_is_skipped(dynamo):
    dynamo.stores.orders.register(draft())
    dynamo.proxy.plan("BatchGetItem", respond_json(Responses={}, UnprocessedKeys={}))

    assert dynamo.stores.orders.list_due(APP, limit=10).records == ()


def test_short_query_page_is_continued(dynamo):
    def one_at_a_time(call: AwsCall, forward: Forward) -> AwsResponse:
        return forward(call.with_json(Limit=1))

    for number in range(20):
        dynamo.stores.orders.register(draft(f"order{number:02}"))
    dynamo.proxy.plan("Query", *[one_at_a_time] * 100)

    page = dynamo.stores.orders.list_due(APP, limit=30)

    assert [row.order_no for row in page.records] == [f"order{n:02}" for n in range(20)]
    assert page.next is None


def test_unprocessed_keys_are_read_again_after_a_pause(dynamo):
    def one_key(call: AwsCall, forward: Forward) -> AwsResponse:
        [(table, keys)] = call.json["RequestItems"].items()
        first, *rest = keys["Keys"]
        one = {table: {**keys, "Keys": [first]}}
        left = {table: {**keys, "Keys": rest}} if rest else {}
        response = forward(call.with_json(RequestItems=one))
        return json_response({**response.json, "UnprocessedKeys": left})

    for order_no in "abc":
        dynamo.stores.orders.register(draft(order_no))
    dynamo.proxy.plan("BatchGetItem", *[one_key] * 3)
    before = dynamo.clock.monotonic()

    page = dynamo.stores.orders.list_due(APP, limit=10)

    assert [record.order_no for record in page.records] == ["a", "b", "c"]
    assert len(dynamo.proxy.requests_to("BatchGetItem")) == 3
    assert 0 < dynamo.clock.monotonic() - before < 1


def test_permanently_unprocessed_keys_are_throttling(dynamo):
    def process_none(call: AwsCall, _: Forward) -> AwsResponse:
        left = call.json["RequestItems"]
        return json_response({"Responses": {}, "UnprocessedKeys": left})

    dynamo.stores.orders.register(draft())
    dynamo.proxy.plan("BatchGetItem", *[process_none] * 5)

    with pytest.raises(StoreUnavailableError, match="throttled"):
        dynamo.stores.orders.list_due(APP, limit=10)

    assert len(dynamo.proxy.requests_to("BatchGetItem")) == 5
    assert dynamo.clock.now() - START < timedelta(seconds=3)


def test_rows_are_read_in_batches_of_a_hundred_keys(dynamo):
    numbers = [f"order{number:03}" for number in range(130)]
    for order_no in numbers:
        dynamo.stores.orders.register(draft(order_no))

    page = dynamo.stores.orders.list_due(APP, limit=120)

    assert [record.order_no for record in page.records] == numbers[:120]
    key_counts = [
        len(table["Keys"])
        for body in dynamo.proxy.requests_to("BatchGetItem")
        for table in body["RequestItems"].values()
    ]
    assert key_counts == [100, 20]
    parts = {item["part"]["S"] for item in dynamo.items().values()}
    assert parts == {f"{APP}/due/{shard}" for shard in range(8)}


# operations and stored items


def test_stores_never_scan_put_or_delete_and_read_consistently(dynamo):
    call_every_store_verb(dynamo.stores)

    operations = {call.name for call in dynamo.proxy.calls}
    assert operations == {"GetItem", "UpdateItem", "Query", "BatchGetItem"}
    assert all(body["ConsistentRead"] for body in dynamo.proxy.requests_to("GetItem"))
    for body in dynamo.proxy.requests_to("BatchGetItem"):
        assert all(keys["ConsistentRead"] for keys in body["RequestItems"].values())
    assert all(body["IndexName"] == "due" for body in dynamo.proxy.requests_to("Query"))


def test_only_poison_expires_and_repeated_poison_keeps_its_times(dynamo):
    call_every_store_verb(dynamo.stores)
    for _ in range(2):
        dynamo.clock.sleep(1)
        dynamo.stores.orders.record_poison(
            APP, source="queue", problem="malformed_json"
        )

    kinds = {key.partition("/")[0] for key in dynamo.items()}
    assert kinds == {"order", "lease", "breaker", "poison"}
    [(key, poison)] = (
        (key, item) for key, item in dynamo.items().items() if EXPIRY in item
    )
    assert key == f"poison/{APP}/queue/malformed_json"
    assert poison["count"] == {"N": "3"}
    first, last = (int(poison[name]["N"]) for name in ("first_at", "last_at"))
    assert (first, last - first) == (int(START.timestamp()) * 10**6, 2 * 10**6)
    kept = int(poison[EXPIRY]["N"]) - dynamo.clock.now().timestamp()
    assert kept == timedelta(days=90).total_seconds()


def test_never_due_row_leaves_the_index(dynamo):
    claimed = dynamo.claim()
    done = settled(claimed)
    dynamo.stores.orders.commit(done, expected=claimed)
    assert "part" in dynamo.items()[f"order/{APP}/order1"]

    sent = follow_up.mark_sent(done, now=START)
    dynamo.stores.orders.commit(sent, expected=done)

    assert not {"part", "entry"} & set(dynamo.items()[f"order/{APP}/order1"])


# the store's clock


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "response",
    [
        respond_json(),
        respond_error("ThrottlingException"),
        respond_error("ConditionalCheckFailedException"),
        respond_error("InternalServerError", 500),
    ],
    ids=["well", "throttled", "refused", "failed"],
)
def test_every_response_sets_the_clock_even_a_failed_one(lone_proxy, response):
    lone_proxy.plan("GetItem", respond_json())
    table = open_table("t", aws_context(lone_proxy.url, left=1))
    assert table.now() == START

    lone_proxy.date = "Thu, 01 Jan 2026 01:00:00 GMT"
    lone_proxy.plan("UpdateItem", response)
    lone_proxy.plan("GetItem", *[drop_call] * 3)  # reads after a failed condition
    with suppress(StoreUnavailableError):  # the outcome is not under test
        table.write("key", {"a": 1}, expected={"a": None})

    assert table.now() == START + timedelta(hours=1)
