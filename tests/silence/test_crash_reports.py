"""A crash reporter that takes every frame's variables along finds no canary in them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from canaries import CARD, MARK, TICKET, TOKEN
from crash_report import report_crash
from fakes import FakeClock
from hostile import HostileServer, once, refusing_port, reply
from houses import TIMER
from kycourier.adapters.kyc_http import KycHttp
from kycourier.adapters.local.events import FileEventSink
from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.adapters.local.leases import SqliteLeaseStore
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.local.secrets import EnvSecret, FileSecret
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier.core import wire
from kycourier.core.errors import KycourierError
from kycourier.core.hidden import ReplyBody, Secret
from kycourier.core.order_record import OutboxEvent
from kycourier.core.ticket import refresh_lease
from kycourier_devkit.errors import FunctionFailed, FunctionNotStarted
from kycourier_devkit.functions.process import (
    FUNCTIONS,
    FunctionProcess,
    function_file,
)
from leak_scan import find_leaks
from records import APP, claim, draft, settled
from silent_case import BODY, CANARIES, EVENT, PAIR, assert_silent, keep_photo


class TestSecrets:
    @pytest.mark.parametrize("content", [b"", MARK.encode() + b"\xff"])
    def test_of_a_file(self, tmp_path, content):
        path = tmp_path / "secret"
        path.write_bytes(content)
        assert_silent(FileSecret(path).load)

    def test_of_the_environment(self):
        assert_silent(EnvSecret("ABSENT", {"OTHER": MARK}).load)


class TestState:
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "state.db"

    @pytest.fixture
    def tickets(self, path):
        """Hold the pair, so that a damaged record is one that was good."""
        store = SqliteTicketStore(path)
        leases = SqliteLeaseStore(path, FakeClock())
        lease = leases.acquire(refresh_lease(APP), owner="one", seconds=15)
        store.save(APP, PAIR, expected_generation=0, lease=lease)
        return store, lease

    @pytest.fixture
    def orders(self, path):
        return SqliteOrderStore(path, FakeClock())

    def spoil(self, path, statement):
        with closing(sqlite3.connect(path)) as state:
            assert state.execute(statement).rowcount
            state.commit()

    def test_pair_that_is_not_saved(self, path, tickets):
        store, lease = tickets
        assert_silent(lambda: store.save(APP, PAIR, expected_generation=7, lease=lease))
        self.spoil(path, "DROP TABLE tickets")
        assert_silent(lambda: store.save(APP, PAIR, expected_generation=1, lease=lease))

    @pytest.mark.parametrize(
        "spoilt",
        [
            "substr(record, 1, length(record) - 1)",
            "replace(record, '\"schema\":1', '\"schema\":9')",
            "replace(record, '3600', '-1')",
        ],
        ids=["cut", "newer", "out of bounds"],
    )
    def test_pair_that_is_not_read(self, path, tickets, spoilt):
        self.spoil(path, f"UPDATE tickets SET record = CAST({spoilt} AS BLOB)")  # noqa: S608 - our own
        assert_silent(lambda: tickets[0].load(APP))

    def test_order_that_is_not_written(self, path, orders):
        claimed = claim(orders).record
        done = settled(claimed, event=EVENT)
        assert_silent(lambda: orders.commit(done, expected=draft()))
        self.spoil(path, "DROP TABLE orders")
        assert_silent(lambda: orders.commit(done, expected=claimed))
        assert_silent(lambda: orders.register(done))

    def test_order_that_is_not_read(self, path, orders):
        claimed = claim(orders).record
        orders.commit(settled(claimed, event=EVENT), expected=claimed)
        cut = "CAST(substr(record, 1, length(record) - 1) AS BLOB)"
        self.spoil(path, f"UPDATE orders SET record = {cut}")  # noqa: S608 - our own
        assert_silent(lambda: orders.load(draft().key))
        assert_silent(lambda: claim(orders))


class TestEdges:
    @pytest.mark.parametrize("body", [BODY, BODY + "\n"], ids=["full", "unfit"])
    def test_event_that_is_not_taken(self, tmp_path, body):
        path = tmp_path / "events.jsonl"
        sink = FileEventSink(path)
        path.unlink()
        path.mkdir()
        event = OutboxEvent(id="e1", type="collected", body=body)
        assert_silent(lambda: sink.publish([event]))

    @pytest.mark.parametrize("spoil", ["there", "denied"])
    def test_photo_that_is_not_kept(self, tmp_path, spoil):
        store = FileEvidenceStore(
            tmp_path / "kept", link_key=tmp_path / "key", clock=FakeClock()
        )
        keep_photo(store)
        [photo] = (tmp_path / "kept").rglob("original-*")
        if spoil == "there":
            photo.write_bytes(b"other bytes")
        else:
            photo.unlink()
            photo.symlink_to(photo)
        assert_silent(lambda: keep_photo(store))

    @pytest.mark.enable_socket
    @pytest.mark.parametrize("plays", ["no answer", "cut"])
    def test_query_that_is_not_answered(self, plays):
        request = wire.build_token_request(wire.Profile.MINIPROGRAM, APP, Secret(MARK))
        body = json.dumps({"access_token": TOKEN, "bankCardNo": CARD}).encode()
        with closing(HostileServer(once(reply(body)[:-1]))) as server:
            port = refusing_port()
            url = server.url if plays == "cut" else f"http://127.0.0.1:{port}"
            transport = KycHttp(url, connections=1, max_reply_bytes=1000)
            assert_silent(lambda: transport.send(request, timeout_seconds=1))
            transport.close()


REPLY = {
    "code": "0",
    "access_token": TOKEN,
    "expire_in": "never",
    "tickets": [{"value": TICKET, "expire_in": "never"}],
    "result": {"bankCardNo": CARD, "originBankcardPhoto": f"{MARK}!"},
}


@pytest.mark.parametrize("cut", [None, -1], ids=["odd", "cut"])
@pytest.mark.parametrize(
    "parse",
    [wire.parse_token_reply, wire.parse_ticket_reply, wire.parse_result_reply],
)
def test_reply_that_is_not_read(parse, cut):
    body = ReplyBody(json.dumps(REPLY).encode()[:cut])
    assert_silent(lambda: parse(body))


REPORTING = """
import sys
sys.path[:0] = [{functions!r}, {tests!r}]
from crash_report import report_crash
from kycourier.adapters import places
{planted}
try:
    from {name} import handler as real
except Exception as error:
    print("reported", report_crash(error), flush=True)
    raise
def handler(event, context):
    try:
        return real(event, context)
    except Exception as error:
        print("reported", report_crash(error), flush=True)
        raise
"""
BREAKS = "places.open_state = lambda *parts: 1 // 0"  # as nobody foresaw


def start_reporting(house, name, planted=""):
    """Start a function in the hands of a crash reporter that writes to its log."""
    real = function_file(name)
    path = house.folder / f"reporting_{name}.py"
    tests = str(Path(__file__).parents[1])
    path.write_text(
        REPORTING.format(
            functions=str(real.parent), tests=tests, name=name, planted=planted
        )
    )
    with house.log.open("ab") as log:
        return FunctionProcess(path, house.environ, log=log)


def reported(house):
    log = house.log.read_text()
    assert "reported" in log
    canaries = [*house.sandbox.canaries(), *CANARIES, house.environ["SECRET"]]
    assert find_leaks(canaries, {"log": log}) == []
    return log


@pytest.mark.enable_socket
@pytest.mark.parametrize("name", FUNCTIONS)
def test_start_that_fails_in_a_way_that_nobody_foresaw(house, name):
    house.environ["KYCOURIER_API_KEYS"] = "env:SECRET"
    with pytest.raises(FunctionNotStarted):
        start_reporting(house, name, BREAKS).__enter__()
    assert "ZeroDivisionError" in reported(house)


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("name", "table", "event"),
    [
        ("refresh_ticket", "leases", TIMER),
        ("collect_results", "orders", {"order_no": "plain1"}),
        ("sweep_orders", "orders", TIMER),
    ],
)
def test_failure_that_leaves_a_handler(house, name, table, event):
    with start_reporting(house, name) as function:
        function.wait_until_ready()
        with closing(sqlite3.connect(house.folder / "state.db")) as state:
            state.execute(f"DROP TABLE {table}")
        with pytest.raises(FunctionFailed):
            function.invoke(event)
        log = reported(house)
    assert "HandlerFailed('handler_failed: store_unavailable')" in log
    assert "adapters/local" not in log  # only the frames that every failure has


def test_the_report_takes_variables_along():
    def raise_with(text: str) -> None:
        raise KycourierError from ValueError(text)

    with pytest.raises(KycourierError) as failure:
        raise_with(CARD)
    assert find_leaks([CARD], report_crash(failure.value))
