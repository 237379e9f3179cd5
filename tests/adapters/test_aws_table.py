"""How DynamoDB is asked: strongly, without a scan, and on as often as it takes."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest

from aws.access import surroundings
from aws.proxy import (
    Answer,
    AwsProxy,
    Call,
    Forward,
    answer_json,
    answering_json,
    cut,
    failing,
)
from aws.table import EXPIRY, HeldClock
from fakes import START, FakeClock
from kycourier.adapters.aws.client import client_of
from kycourier.adapters.aws.store_clock import DateClock
from kycourier.adapters.aws.table import Table
from kycourier.core import order as rules
from kycourier.core.errors import StoreUnavailable
from kycourier.core.order import Urgency
from records import APP, claim, draft, settled, use_everything

LEASE = timedelta(seconds=60)

# leases


def test_worker_whose_clock_leads_does_not_take_a_lease_that_still_holds(dynamo):
    lease = dynamo.stores.leases.acquire("trial", owner="behind", seconds=15)
    dynamo.clock.sleep(14.9 + 1.9)  # as the one that leads sees the holder's 14.9

    assert dynamo.stores.leases.acquire("trial", owner="ahead", seconds=15) is None
    assert lease.remaining_seconds() == 15


def test_worker_whose_clock_leads_does_not_take_an_order_that_is_worked_on(dynamo):
    claimed = dynamo.claim()
    left = (claimed.lease_ends_at - dynamo.clock.now()).total_seconds()
    dynamo.clock.sleep(left + 2.9)

    assert not claim(dynamo.stores.orders).granted
    dynamo.clock.sleep(0.1)
    assert claim(dynamo.stores.orders).granted


def claim_once(dynamo, urgency: Urgency) -> list[str]:
    """Claim a new order; name the calls that it took."""
    before = len(dynamo.proxy.calls)
    granted = dynamo.stores.orders.claim(
        draft(), owner="one", lease=LEASE, urgency=urgency, folder="2026/01/01/a"
    ).granted
    assert granted
    return [call.name for call in dynamo.proxy.calls[before:]]


def test_new_order_of_a_message_is_claimed_by_one_call(dynamo):
    assert claim_once(dynamo, Urgency.NOTIFIED) == ["UpdateItem"]


def test_order_that_somebody_registered_is_read_before_it_is_claimed(dynamo):
    assert claim_once(dynamo, Urgency.NOW) == ["GetItem", "UpdateItem"]


def test_claim_after_a_freeze_hears_the_stores_time_first(dynamo, monkeypatch):
    monkeypatch.setattr(HeldClock, "was_just_set", lambda _: False)

    assert claim_once(dynamo, Urgency.NOTIFIED) == ["GetItem", "UpdateItem"]


def test_owner_is_a_new_holder_at_its_leases_end_without_a_margin(dynamo):
    first = dynamo.stores.leases.acquire("trial", owner="one", seconds=15)
    dynamo.clock.sleep(15)

    second = dynamo.stores.leases.acquire("trial", owner="one", seconds=15)

    assert second.fence == first.fence + 1


# pages


def test_entry_of_a_row_that_has_moved_on_is_left_out(dynamo):
    old: list[Answer] = []

    def keep(call: Call, forward: Forward) -> Answer:
        old.append(forward(call))
        return old[-1]

    claimed = dynamo.claim()
    dynamo.clock.sleep(60)
    dynamo.proxy.plan("Query", *[keep] * 8)
    assert dynamo.stores.orders.due(APP, limit=10).records == (claimed,)

    dynamo.stores.orders.commit(settled(claimed), expected=claimed)
    dynamo.proxy.plan("Query", *[lambda *_, at=at: old[at] for at in range(8)])

    assert sum(answer.json["Count"] for answer in old) == 1
    assert dynamo.stores.orders.due(APP, limit=10).records == ()


def test_entry_whose_row_is_gone_is_left_out(dynamo):
    dynamo.stores.orders.register(draft())
    dynamo.proxy.plan("BatchGetItem", answering_json(Responses={}, UnprocessedKeys={}))

    assert dynamo.stores.orders.due(APP, limit=10).records == ()


def test_query_that_ends_early_is_asked_on(dynamo):
    def one_at_a_time(call: Call, forward: Forward) -> Answer:
        return forward(call.asking(Limit=1))

    for number in range(20):
        dynamo.stores.orders.register(draft(f"order{number:02}"))
    dynamo.proxy.plan("Query", *[one_at_a_time] * 100)

    page = dynamo.stores.orders.due(APP, limit=30)

    assert [row.order_no for row in page.records] == [f"order{n:02}" for n in range(20)]
    assert page.next is None


def test_keys_left_over_are_asked_again_after_a_pause(dynamo):
    def one_key(call: Call, forward: Forward) -> Answer:
        [(table, asked)] = call.json["RequestItems"].items()
        first, *rest = asked["Keys"]
        one = {table: {**asked, "Keys": [first]}}
        left = {table: {**asked, "Keys": rest}} if rest else {}
        answer = forward(call.asking(RequestItems=one))
        return answer_json({**answer.json, "UnprocessedKeys": left})

    for order_no in "abc":
        dynamo.stores.orders.register(draft(order_no))
    dynamo.proxy.plan("BatchGetItem", *[one_key] * 3)
    before = dynamo.clock.monotonic()

    page = dynamo.stores.orders.due(APP, limit=10)

    assert [record.order_no for record in page.records] == ["a", "b", "c"]
    assert len(dynamo.proxy.asked("BatchGetItem")) == 3
    assert 0 < dynamo.clock.monotonic() - before < 1


def test_keys_left_over_for_ever_are_throttling(dynamo):
    def none(call: Call, _: Forward) -> Answer:
        left = call.json["RequestItems"]
        return answer_json({"Responses": {}, "UnprocessedKeys": left})

    dynamo.stores.orders.register(draft())
    dynamo.proxy.plan("BatchGetItem", *[none] * 5)
    before = dynamo.clock.monotonic()

    with pytest.raises(StoreUnavailable, match="throttled"):
        dynamo.stores.orders.due(APP, limit=10)

    assert len(dynamo.proxy.asked("BatchGetItem")) == 5
    assert dynamo.clock.monotonic() - before < 3


def test_large_pages_are_read_a_hundred_keys_at_a_time(dynamo):
    numbers = [f"order{number:03}" for number in range(130)]
    for order_no in numbers:
        dynamo.stores.orders.register(draft(order_no))

    page = dynamo.stores.orders.due(APP, limit=120)

    assert [record.order_no for record in page.records] == numbers[:120]
    asked = [
        len(table["Keys"])
        for body in dynamo.proxy.asked("BatchGetItem")
        for table in body["RequestItems"].values()
    ]
    assert asked == [100, 20]
    parts = {item["part"]["S"] for item in dynamo.items().values()}
    assert parts == {f"{APP}/due/{shard}" for shard in range(8)}


# what is asked for, and what is kept


def test_nothing_is_scanned_put_or_deleted_and_every_read_of_a_row_is_strong(dynamo):
    use_everything(dynamo.stores)

    operations = {call.name for call in dynamo.proxy.calls}
    assert operations == {"GetItem", "UpdateItem", "Query", "BatchGetItem"}
    assert all(body["ConsistentRead"] for body in dynamo.proxy.asked("GetItem"))
    for body in dynamo.proxy.asked("BatchGetItem"):
        assert all(asked["ConsistentRead"] for asked in body["RequestItems"].values())
    assert all(body["IndexName"] == "due" for body in dynamo.proxy.asked("Query"))


def test_only_poison_ends_by_itself(dynamo):
    use_everything(dynamo.stores)

    kinds = {key.partition("/")[0] for key in dynamo.items()}
    assert kinds == {"order", "lease", "brake", "poison"}
    expiring = {key: item for key, item in dynamo.items().items() if EXPIRY in item}
    [(key, poison)] = expiring.items()
    assert key == f"poison/{APP}/queue/malformed_json"
    kept = int(poison[EXPIRY]["N"]) - dynamo.clock.now().timestamp()
    assert kept == timedelta(days=90).total_seconds()


def test_poison_is_counted_with_its_first_and_last_time(dynamo):
    for _ in range(3):
        dynamo.stores.orders.record_poison(APP, source="queue", problem="bad_json")
        dynamo.clock.sleep(1)

    [poison] = dynamo.items().values()
    assert poison["count"] == {"N": "3"}
    first, last = (int(poison[name]["N"]) for name in ("first_at", "last_at"))
    assert (first, last - first) == (int(START.timestamp()) * 10**6, 2 * 10**6)


def test_row_that_is_never_due_again_stands_in_no_index(dynamo):
    claimed = dynamo.claim()
    done = settled(claimed)
    dynamo.stores.orders.commit(done, expected=claimed)
    assert "part" in dynamo.items()[f"order/{APP}/order1"]

    sent = rules.mark_sent(done, now=START)
    dynamo.stores.orders.commit(sent, expected=done)

    assert not {"part", "entry"} & set(dynamo.items()[f"order/{APP}/order1"])


def test_many_threads_share_one_table(dynamo):
    def work(number: int) -> bool:
        order = draft(f"order{number}")
        dynamo.stores.orders.register(order)
        return dynamo.stores.orders.load(order.key) == order

    with ThreadPoolExecutor(25) as pool:
        assert all(pool.map(work, range(50)))

    assert len(dynamo.items()) == 50


# the store's clock


def open_table(proxy: AwsProxy, clock: FakeClock) -> Table:
    proxy.plan("GetItem", answering_json())
    around = surroundings(proxy.url, left=1)
    return Table(
        "t",
        client=client_of("dynamodb", around),
        clock=DateClock(clock),
        monotonic=clock.monotonic,
        pause=clock.sleep,
    )


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "answer",
    [
        answering_json(),
        failing("ThrottlingException"),
        failing("ConditionalCheckFailedException"),
        failing("InternalServerError", 500),
    ],
    ids=["well", "throttled", "refused", "failed"],
)
def test_every_answer_tells_the_time_also_one_that_fails(lone_proxy, answer):
    table = open_table(lone_proxy, FakeClock())
    assert table.now() == START

    lone_proxy.date = "Thu, 01 Jan 2026 01:00:00 GMT"
    lone_proxy.plan("UpdateItem", answer)
    lone_proxy.plan("GetItem", *[cut] * 3)  # what follows a refused condition
    with suppress(StoreUnavailable):  # what becomes of it is told elsewhere
        table.write("key", {"a": 1}, expected={"a": None})

    assert table.now() == START + timedelta(hours=1)
