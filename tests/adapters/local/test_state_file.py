"""Index use, poison counts and unreadable breakers of the SQLite state file."""

import pytest
from msgspec.structs import replace

from kycourier.adapters.local import orders
from kycourier.adapters.local.breaker import SqliteBreakerStore
from kycourier.adapters.local.find_orders import FIND
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.local.schema import open_stores
from kycourier.adapters.local.sqlite import SqliteFile
from kycourier.core.circuit_breaker import BreakerRecord
from kycourier.core.errors import NewerSchemaError, StoreUnavailableError
from kycourier.core.orders.pages import OrderFilter
from support.fakes import START, FakeClock
from support.sample_records import APP, draft

CLOCK = FakeClock()


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (b'{"schema":2}', NewerSchemaError),
        (b'{"schema":1,"x":' + b"[" * 99_999, StoreUnavailableError),
        (b"[", StoreUnavailableError),
        (b"", StoreUnavailableError),
    ],
)
def test_unreadable_breaker_stays_until_released(tmp_path, record, error):
    breakers, file = SqliteBreakerStore(tmp_path / "db"), open_stores(tmp_path / "db")
    breakers.open(APP, BreakerRecord(openings=1, version=4), expected_version=0)
    file.write(lambda state: state.execute("UPDATE breakers SET record = ?", (record,)))

    with pytest.raises(error) as failure:
        breakers.get(APP)
    assert failure.value.__context__ is None

    breakers.close(APP)
    assert breakers.get(APP) == BreakerRecord(version=5)


@pytest.mark.parametrize(
    ("query", "index"),
    [(orders.DUE, "orders_due"), (orders.UNSENT, "orders_unsent")],
)
def test_page_query_walks_one_index(tmp_path, query, index):
    file = open_stores(tmp_path / "state.db")
    values = (APP, 2e9, 1e9, "order1", 10)

    ((step),) = [
        row["detail"] for row in file.read(f"EXPLAIN QUERY PLAN {query}", values)
    ]

    assert step.startswith("SEARCH")
    assert f"USING INDEX {index} (app_id=? AND" in step
    assert "due_at<?" in step


@pytest.mark.parametrize(
    ("state", "index"),
    [
        ((), "orders_found (app_id=? AND"),
        (("parked",), "orders_found_by_state (app_id=? AND state=? AND"),
    ],
)
def test_find_query_walks_one_index_without_sorting(tmp_path, state, index):
    file = open_stores(tmp_path / "state.db")
    query = FIND.format(" AND state = ?" if state else "")
    values = (APP, *state, 1, 2, "order1", 10)

    ((step),) = [
        row["detail"] for row in file.read(f"EXPLAIN QUERY PLAN {query}", values)
    ]

    assert step.startswith(f"SEARCH orders USING INDEX {index}")
    assert "registered>? AND " in step


def test_page_of_found_orders_reads_one_row_more_than_it_shows(tmp_path, monkeypatch):
    store = SqliteOrderStore(tmp_path / "state.db", CLOCK)
    for number in range(50):
        store.register(draft(f"n{number:02}"))
    read: list[int] = []
    real = SqliteFile.read

    def count(self, query, values):
        rows = real(self, query, values)
        read.append(len(rows))
        return rows

    monkeypatch.setattr(SqliteFile, "read", count)
    store.find(APP, OrderFilter(), limit=10, after=None)

    assert read == [11]


def test_never_due_rows_are_in_no_index(tmp_path):
    path = tmp_path / "state.db"
    store, file = SqliteOrderStore(path, CLOCK), open_stores(path)
    store.register(replace(draft("a"), due_at=None))
    store.register(draft("b"))

    for index, rows in [("orders_due", 1), ("orders_unsent", 0)]:
        terms = "need IN ('collect', 'check_orphans')" if rows else "need = 'publish'"
        found = file.read(
            f"SELECT count(*) FROM orders INDEXED BY {index}"  # noqa: S608 - our own names
            f" WHERE due_at IS NOT NULL AND {terms}",
            (),
        )
        assert found[0][0] == rows


def test_repeated_poison_increments_one_row(tmp_path):
    path, clock = tmp_path / "state.db", FakeClock()
    store, file = SqliteOrderStore(path, clock), open_stores(path)
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
