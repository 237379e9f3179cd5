"""How DynamoDB is asked: strongly, without a scan, and safe when answers are lost."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from aws_gate import Answer, Forward, Gate, answering, cut, failing, lose
from aws_table import (
    EXPIRY,
    STAND_INS,
    items_of,
    make_table,
    open_held,
)
from fakes import START, FakeClock
from kycourier.adapters.aws.brake import DynamoBrakeStore
from kycourier.adapters.aws.clients import AwsClients
from kycourier.adapters.aws.leases import DynamoLeaseStore
from kycourier.adapters.aws.orders import DynamoOrderStore
from kycourier.adapters.aws.store_clock import DateClock
from kycourier.adapters.aws.table import Table
from kycourier.adapters.aws.tickets import DynamoTicketStore
from kycourier.core import order as rules
from kycourier.core.brake import Brake
from kycourier.core.errors import StaleOwner, StoreUnavailable
from kycourier.core.hidden import Secret
from kycourier.core.models import Document, OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord, OutboxEvent, State
from kycourier.core.ticket import TicketPair, refresh_lease
from kycourier.ports import State as Stores
from stand_ins import IN_CLOUD, aws_environ

APP = "SANDBOX1"
LEASE = timedelta(seconds=60)
EVENT = OutboxEvent(id="e1", type="kycourier.ocr.collected.v1", body='{"id":"e1"}')
PAIR = TicketPair(
    generation=1,
    obtained_at=START,
    expires_in=timedelta(hours=1),
    token=Secret("token"),
    ticket=Secret("ticket"),
)


class Bench(NamedTuple):
    """The four stores behind a gate, with their clock and a look past the gate."""

    gate: Gate
    stores: Stores
    clock: FakeClock
    items: Callable[[], Mapping[str, Mapping[str, Any]]]

    def draft(self, order_no: str = "order1") -> OrderRecord:
        return rules.draft(
            OrderKey(APP, order_no),
            document=Document.BANK_CARD,
            now=START,
            ttl=timedelta(hours=48),
            first_sweep=timedelta(0),
        )

    def claim(self, owner: str = "one") -> OrderRecord:
        claim = self.stores.orders.claim(
            self.draft(), owner=owner, lease=LEASE, urgency=Urgency.NOW, folder="f"
        )
        assert claim.granted
        return claim.record


def build(gate: Gate, url: str) -> Bench:
    clock, name = FakeClock(), make_table(url)
    table = open_held(gate.url, name, clock)
    stores = Stores(
        tickets=DynamoTicketStore(table),
        leases=DynamoLeaseStore(table),
        orders=DynamoOrderStore(table),
        brakes=DynamoBrakeStore(table),
    )
    return Bench(gate, stores, clock, lambda: items_of(url, name))


KINDS = [pytest.param(kind, marks=IN_CLOUD) for kind in STAND_INS]


@pytest.fixture(scope="module")
def gates() -> Iterator[Callable[[str], Gate]]:
    """Give the one gate before a stand-in, with nothing planned or noted."""
    with ExitStack() as stack:

        @cache
        def opened(url: str) -> Gate:
            gate = Gate(url)
            stack.callback(gate.close)
            return gate

        def give(url: str) -> Gate:
            gate = opened(url)
            gate.forget()
            return gate

        yield give


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, gates: Callable[[str], Gate]) -> Bench:
    url = request.getfixturevalue(STAND_INS[request.param])
    return build(gates(url), url)


def settled(record: OrderRecord) -> OrderRecord:
    return rules.settle(
        record, state=State.COLLECTED, reason=None, event=EVENT, now=START
    )


# lost answers


def register(bench: Bench) -> None:
    bench.gate.plan("UpdateItem", lose)
    assert bench.stores.orders.register(bench.draft()).granted
    assert bench.stores.orders.load(OrderKey(APP, "order1")) == bench.draft()


def claim_anew(bench: Bench) -> None:
    bench.gate.plan("UpdateItem", lose)
    claimed = bench.claim()
    assert claimed.attempts == 1
    assert bench.stores.orders.load(claimed.key) == claimed


def claim_known(bench: Bench) -> None:
    bench.stores.orders.register(bench.draft())
    claim_anew(bench)


def commit(bench: Bench) -> None:
    claimed = bench.claim()
    bench.gate.plan("UpdateItem", lose)
    bench.stores.orders.commit(settled(claimed), expected=claimed)
    assert bench.stores.orders.load(claimed.key) == settled(claimed)


def acquire(bench: Bench) -> None:
    bench.gate.plan("UpdateItem", lose)
    lease = bench.stores.leases.acquire("trial", owner="one", seconds=15)
    assert lease is not None
    again = bench.stores.leases.acquire("trial", owner="one", seconds=15)
    assert (again.fence, again.ends_at) == (lease.fence, lease.ends_at)


def release(bench: Bench) -> None:
    lease = bench.stores.leases.acquire("trial", owner="one", seconds=15)
    bench.gate.plan("UpdateItem", lose)
    bench.stores.leases.release("trial", lease=lease)
    assert bench.stores.leases.acquire("trial", owner="two", seconds=15)


def save(bench: Bench) -> None:
    lease = bench.stores.leases.acquire(refresh_lease(APP), owner="one", seconds=15)
    bench.gate.plan("UpdateItem", lose)
    bench.stores.tickets.save(APP, PAIR, expected_generation=0, lease=lease)
    assert bench.stores.tickets.load(APP) == PAIR


def trip(bench: Bench) -> None:
    bench.gate.plan("UpdateItem", lose)
    bench.stores.brakes.trip(APP, Brake(trips=1, version=1), expected_version=0)
    assert bench.stores.brakes.load(APP) == Brake(trips=1, version=1)


def resume(bench: Bench) -> None:
    bench.stores.brakes.trip(APP, Brake(trips=1, version=1), expected_version=0)
    bench.gate.plan("UpdateItem", lose)
    bench.stores.brakes.release(APP)
    assert bench.stores.brakes.load(APP) == Brake(version=2)


WRITES = [
    register, claim_anew, claim_known, commit, acquire, release, save, trip, resume
]  # fmt: skip


@pytest.mark.parametrize("write", WRITES)
def test_write_whose_answer_was_lost_is_repeated_and_found_done(bench, write):
    write(bench)

    asked = bench.gate.asked("UpdateItem")
    assert [one for one, then in pairwise(asked) if one == then]


def test_write_that_another_made_meanwhile_is_not_taken_for_ones_own(bench):
    claimed = bench.claim()
    other = replace(settled(claimed), reason="other")

    def hinder(_body: Mapping[str, Any], _forward: Forward) -> None:
        bench.stores.orders.commit(other, expected=claimed)

    bench.gate.plan("UpdateItem", hinder)

    with pytest.raises(StaleOwner):
        bench.stores.orders.commit(settled(claimed), expected=claimed)

    assert bench.stores.orders.load(claimed.key) == other


def test_write_that_never_gets_an_answer_fails_and_is_whole(bench):
    claimed = bench.claim()
    bench.gate.plan("UpdateItem", lose, lose, lose)

    with pytest.raises(StoreUnavailable) as failure:
        bench.stores.orders.commit(settled(claimed), expected=claimed)

    assert failure.value.reason == "ConnectionClosedError"
    assert failure.value.__context__ is None
    assert bench.stores.orders.load(claimed.key) == settled(claimed)


@pytest.mark.parametrize(
    ("plays", "reason"),
    [
        ([cut] * 3, "ConnectionClosedError"),
        ([failing("InternalServerError", 500)] * 3, "InternalServerError"),
        ([failing("AccessDeniedException")], "denied dynamodb:UpdateItem on a table"),
    ],
)
def test_write_that_never_comes_through_leaves_the_row_as_it_was(bench, plays, reason):
    claimed = bench.claim()
    bench.gate.plan("UpdateItem", *plays)

    with pytest.raises(StoreUnavailable) as failure:
        bench.stores.orders.commit(settled(claimed), expected=claimed)

    assert failure.value.reason == reason
    assert bench.stores.orders.load(claimed.key) == claimed


@pytest.mark.parametrize("hindrances", [1, 4])
def test_claim_that_others_hinder_decides_again(bench, hindrances):
    bench.stores.orders.register(bench.draft())
    bench.gate.plan(
        "UpdateItem", *[failing("ConditionalCheckFailedException")] * hindrances
    )

    assert bench.claim().version == 2


def test_claim_and_resume_that_others_hinder_for_ever_give_up(bench):
    refusals = [failing("ConditionalCheckFailedException")] * 5
    for attempt in (bench.claim, lambda: bench.stores.brakes.release(APP)):
        bench.gate.plan("UpdateItem", *refusals)

        with pytest.raises(StoreUnavailable, match="contended"):
            attempt()

    assert len(bench.gate.asked("UpdateItem")) == 2 * len(refusals)
    assert bench.items() == {}


# leases


def test_worker_whose_clock_leads_does_not_take_a_lease_that_still_holds(bench):
    lease = bench.stores.leases.acquire("trial", owner="behind", seconds=15)
    bench.clock.sleep(14.9 + 1.9)  # as the one that leads sees the holder's 14.9

    assert bench.stores.leases.acquire("trial", owner="ahead", seconds=15) is None
    assert lease.remaining_seconds() == 15


def test_owner_is_a_new_holder_at_its_leases_end_without_a_margin(bench):
    first = bench.stores.leases.acquire("trial", owner="one", seconds=15)
    bench.clock.sleep(15)

    second = bench.stores.leases.acquire("trial", owner="one", seconds=15)

    assert second.fence == first.fence + 1


# pages


def test_entry_of_a_row_that_has_moved_on_is_left_out(bench):
    old: list[Answer] = []

    def keep(body: Mapping[str, Any], forward: Forward) -> Answer:
        old.append(forward(body))
        return old[-1]

    claimed = bench.claim()
    bench.clock.sleep(60)
    bench.gate.plan("Query", *[keep] * 8)
    assert bench.stores.orders.due(APP, limit=10).records == (claimed,)

    bench.stores.orders.commit(settled(claimed), expected=claimed)
    bench.gate.plan("Query", *[lambda *_, at=at: old[at] for at in range(8)])

    assert sum(answer.body["Count"] for answer in old) == 1
    assert bench.stores.orders.due(APP, limit=10).records == ()


def test_entry_whose_row_is_gone_is_left_out(bench):
    bench.stores.orders.register(bench.draft())
    bench.gate.plan("BatchGetItem", answering(Responses={}, UnprocessedKeys={}))

    assert bench.stores.orders.due(APP, limit=10).records == ()


def test_query_that_ends_early_is_asked_on(bench):
    def one_at_a_time(body: Mapping[str, Any], forward: Forward) -> Answer:
        return forward({**body, "Limit": 1})

    for number in range(20):
        bench.stores.orders.register(bench.draft(f"order{number:02}"))
    bench.gate.plan("Query", *[one_at_a_time] * 100)

    page = bench.stores.orders.due(APP, limit=30)

    assert [row.order_no for row in page.records] == [f"order{n:02}" for n in range(20)]
    assert page.next is None


def test_keys_left_over_are_asked_again_after_a_pause(bench):
    def one_key(body: Mapping[str, Any], forward: Forward) -> Answer:
        [(table, asked)] = body["RequestItems"].items()
        first, *rest = asked["Keys"]
        answer = forward({"RequestItems": {table: {**asked, "Keys": [first]}}})
        left = {table: {**asked, "Keys": rest}} if rest else {}
        return Answer(200, {**answer.body, "UnprocessedKeys": left})

    for order_no in "abc":
        bench.stores.orders.register(bench.draft(order_no))
    bench.gate.plan("BatchGetItem", *[one_key] * 3)
    before = bench.clock.monotonic()

    page = bench.stores.orders.due(APP, limit=10)

    assert [record.order_no for record in page.records] == ["a", "b", "c"]
    assert len(bench.gate.asked("BatchGetItem")) == 3
    assert 0 < bench.clock.monotonic() - before < 1


def test_keys_left_over_for_ever_are_throttling(bench):
    def none(body: Mapping[str, Any], _: Forward) -> Answer:
        return Answer(200, {"Responses": {}, "UnprocessedKeys": body["RequestItems"]})

    bench.stores.orders.register(bench.draft())
    bench.gate.plan("BatchGetItem", *[none] * 5)
    before = bench.clock.monotonic()

    with pytest.raises(StoreUnavailable, match="throttled"):
        bench.stores.orders.due(APP, limit=10)

    assert len(bench.gate.asked("BatchGetItem")) == 5
    assert bench.clock.monotonic() - before < 3


def test_large_pages_are_read_a_hundred_keys_at_a_time(bench):
    numbers = [f"order{number:03}" for number in range(130)]
    for order_no in numbers:
        bench.stores.orders.register(bench.draft(order_no))

    page = bench.stores.orders.due(APP, limit=120)

    assert [record.order_no for record in page.records] == numbers[:120]
    asked = [
        len(table["Keys"])
        for body in bench.gate.asked("BatchGetItem")
        for table in body["RequestItems"].values()
    ]
    assert asked == [100, 20]
    parts = {item["part"]["S"] for item in bench.items().values()}
    assert parts == {f"{APP}/due/{shard}" for shard in range(8)}


# what is asked for, and what is kept


def use_everything(bench: Bench) -> None:
    orders, leases = bench.stores.orders, bench.stores.leases
    orders.register(bench.draft("order0"))
    claimed = bench.claim()
    orders.commit(settled(claimed), expected=claimed)
    bench.clock.sleep(60)
    assert orders.due(APP, limit=5).records
    assert orders.unsent(APP, limit=5).records
    orders.record_poison(APP, source="queue", problem="malformed_json")
    lease = leases.acquire(refresh_lease(APP), owner="one", seconds=15)
    bench.stores.tickets.save(APP, PAIR, expected_generation=0, lease=lease)
    assert bench.stores.tickets.load(APP)
    leases.release(refresh_lease(APP), lease=lease)
    bench.stores.brakes.trip(APP, Brake(trips=1, version=1), expected_version=0)
    bench.stores.brakes.release(APP)


def test_nothing_is_scanned_put_or_deleted_and_every_read_of_a_row_is_strong(bench):
    use_everything(bench)

    operations = {operation for operation, _ in bench.gate.calls}
    assert operations == {"GetItem", "UpdateItem", "Query", "BatchGetItem"}
    assert all(body["ConsistentRead"] for body in bench.gate.asked("GetItem"))
    for body in bench.gate.asked("BatchGetItem"):
        assert all(asked["ConsistentRead"] for asked in body["RequestItems"].values())
    assert all(body["IndexName"] == "due" for body in bench.gate.asked("Query"))


def test_only_poison_ends_by_itself(bench):
    use_everything(bench)

    kinds = {key.partition("/")[0] for key in bench.items()}
    assert kinds == {"order", "lease", "brake", "poison"}
    expiring = {key: item for key, item in bench.items().items() if EXPIRY in item}
    [(key, poison)] = expiring.items()
    assert key == f"poison/{APP}/queue/malformed_json"
    kept = int(poison[EXPIRY]["N"]) - bench.clock.now().timestamp()
    assert kept == timedelta(days=90).total_seconds()


def test_poison_is_counted_with_its_first_and_last_time(bench):
    for _ in range(3):
        bench.stores.orders.record_poison(APP, source="queue", problem="bad_json")
        bench.clock.sleep(1)

    [poison] = bench.items().values()
    assert poison["count"] == {"N": "3"}
    first, last = (int(poison[name]["N"]) for name in ("first_at", "last_at"))
    assert (first, last - first) == (int(START.timestamp()) * 10**6, 2 * 10**6)


def test_row_that_is_never_due_again_stands_in_no_index(bench):
    claimed = bench.claim()
    done = settled(claimed)
    bench.stores.orders.commit(done, expected=claimed)
    assert "part" in bench.items()[f"order/{APP}/order1"]

    sent = rules.mark_sent(done, now=START)
    bench.stores.orders.commit(sent, expected=done)

    assert not {"part", "entry"} & set(bench.items()[f"order/{APP}/order1"])


def test_many_threads_share_one_table(bench):
    def work(number: int) -> bool:
        order = bench.draft(f"order{number}")
        bench.stores.orders.register(order)
        return bench.stores.orders.load(order.key) == order

    with ThreadPoolExecutor(25) as pool:
        assert all(pool.map(work, range(50)))

    assert len(bench.items()) == 50


# the store's clock


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.close()


def open_table(gate: Gate, clock: FakeClock) -> Table:
    gate.plan("GetItem", answering())
    aws = AwsClients(aws_environ(gate.url), seconds_left=lambda: 1)
    return Table("t", aws=aws, clock=DateClock(clock), pause=clock.sleep)


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "answer",
    [
        answering(),
        failing("ThrottlingException"),
        failing("ConditionalCheckFailedException"),
        failing("InternalServerError", 500),
    ],
    ids=["well", "throttled", "refused", "failed"],
)
def test_every_answer_tells_the_time_also_one_that_fails(gate, answer):
    table = open_table(gate, FakeClock())
    assert table.now() == START

    gate.date = "Thu, 01 Jan 2026 01:00:00 GMT"
    gate.plan("UpdateItem", answer)
    gate.plan("GetItem", *[cut] * 3)  # what follows a refused condition
    with suppress(StoreUnavailable):  # what becomes of it is told elsewhere
        table.write("key", {"a": 1}, expected={"a": None})

    assert table.now() == START + timedelta(hours=1)
