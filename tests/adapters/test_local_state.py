"""What only the state file has: index walks, counted poison, unreadable brakes."""

import pytest
from msgspec.structs import replace

from fakes import START, FakeClock
from kycourier.adapters.local import orders
from kycourier.adapters.local.brake import SqliteBrakeStore
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.local.state import open_state
from kycourier.core.brake import Brake
from kycourier.core.errors import NewerSchema, StoreUnavailable
from records import draft

APP = "SANDBOX1"
CLOCK = FakeClock()


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (b'{"schema":2}', NewerSchema),
        (b'{"schema":1,"x":' + b"[" * 99_999, StoreUnavailable),
        (b"[", StoreUnavailable),
        (b"", StoreUnavailable),
    ],
)
def test_brake_that_cannot_be_read_is_left_until_a_person_releases_it(
    tmp_path, record, error
):
    brakes, file = SqliteBrakeStore(tmp_path / "db"), open_state(tmp_path / "db")
    brakes.trip(APP, Brake(trips=1, version=4), expected_version=0)
    file.write(lambda state: state.execute("UPDATE brakes SET record = ?", (record,)))

    with pytest.raises(error) as failure:
        brakes.load(APP)
    assert failure.value.__context__ is None

    brakes.release(APP)
    assert brakes.load(APP) == Brake(version=5)


@pytest.mark.parametrize(
    ("query", "index"),
    [(orders.DUE, "orders_due"), (orders.UNSENT, "orders_unsent")],
)
def test_pages_are_walks_of_an_index_without_scan_or_sort(tmp_path, query, index):
    file = open_state(tmp_path / "state.db")
    values = (APP, 2e9, 1e9, "order1", 10)

    plan = [row["detail"] for row in file.read(f"EXPLAIN QUERY PLAN {query}", values)]

    (step,) = plan
    assert step.startswith("SEARCH")
    assert f"USING INDEX {index} (app_id=? AND" in step
    assert "due_at<?" in step


def test_rows_that_are_never_due_are_in_neither_index(tmp_path):
    path = tmp_path / "state.db"
    store, file = SqliteOrderStore(path, CLOCK), open_state(path)
    store.register(replace(draft("a"), due_at=None))
    store.register(draft("b"))

    for index, rows in [("orders_due", 1), ("orders_unsent", 0)]:
        terms = "need IN ('collect', 'tidy')" if rows else "need = 'send'"
        found = file.read(
            f"SELECT count(*) FROM orders INDEXED BY {index}"  # noqa: S608 - our names
            f" WHERE due_at IS NOT NULL AND {terms}",
            (),
        )
        assert found[0][0] == rows


def test_page_that_takes_the_last_row_has_no_next(tmp_path):
    store = SqliteOrderStore(tmp_path / "state.db", CLOCK)
    for order_no in "abcd":
        store.register(draft(order_no))

    first = store.due(APP, limit=2)
    last = store.due(APP, limit=2, after=first.next)

    assert [record.order_no for record in last.records] == ["c", "d"]
    assert last.next is None


def test_poison_is_counted_and_takes_no_more_room_each_time(tmp_path):
    path, clock = tmp_path / "state.db", FakeClock()
    store, file = SqliteOrderStore(path, clock), open_state(path)
    for _ in range(3):
        store.record_poison(APP, source="queue", problem="malformed_json")
        clock.sleep(60)

    (row,) = file.read("SELECT * FROM poison", ())

    assert dict(row) == {
        "app_id": APP,
        "source": "queue",
        "problem": "malformed_json",
        "count": 3,
        "first_at": START.timestamp(),
        "last_at": START.timestamp() + 120,
    }
