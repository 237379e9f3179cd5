"""A crash report with the variables of every frame holds no canary."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kycourier.adapters.kyc.transport import HttpKycTransport
from kycourier.adapters.local.events import FileEventSink
from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.adapters.local.leases import SqliteLeaseStore
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.local.secrets import EnvSecret, FileSecret
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier.adapters.registry import UnwrappedSecret
from kycourier.core.documents.bank_card import BankCard
from kycourier.core.errors import KycourierError
from kycourier.core.leases import refresh_lease
from kycourier.core.orders.record import OutboxEvent
from kycourier.core.redaction import ReplyBody, Secret
from kycourier.core.wire import token_replies
from kycourier.core.wire.requests import Profile, build_token_request
from kycourier_devkit.emulators.local_runtime.process import function_file
from kycourier_devkit.emulators.running_function import FUNCTIONS
from kycourier_devkit.errors import FunctionFailedError, FunctionStartError
from support.fakes import FakeClock
from support.leaks.canaries import CARD, MARK, TICKET, TOKEN
from support.leaks.crash_cases import (
    BODY,
    CANARIES,
    EVENT,
    PAIR,
    assert_failure_leaks_nothing,
    store_photo,
)
from support.leaks.crash_report import report_crash
from support.leaks.leak_scan import find_leaks
from support.processes.service_rig import TIMER_EVENT
from support.sample_records import APP, claim, draft, settled
from support.servers.hostile_server import (
    HostileServer,
    closed_port,
    http_response,
    respond_once,
)


class TestSecrets:
    @pytest.mark.parametrize("content", [b"", MARK.encode() + b"\xff"])
    def test_unreadable_secret_file_leaks_nothing(self, tmp_path, content):
        path = tmp_path / "secret"
        path.write_bytes(content)
        assert_failure_leaks_nothing(UnwrappedSecret(FileSecret(path), None).get)

    def test_absent_variable_leaks_nothing(self):
        assert_failure_leaks_nothing(EnvSecret("ABSENT", {"OTHER": MARK}).get)


class TestState:
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "state.db"

    @pytest.fixture
    def tickets(self, path):
        """Store a valid pair, whose record a test damages."""
        store = SqliteTicketStore(path)
        leases = SqliteLeaseStore(path, FakeClock())
        lease = leases.acquire(refresh_lease(APP), owner="one", seconds=15)
        store.put(APP, PAIR, expected_generation=0, lease=lease)
        return store, lease

    @pytest.fixture
    def orders(self, path):
        return SqliteOrderStore(path, FakeClock())

    def damage(self, path, statement):
        with closing(sqlite3.connect(path)) as state:
            assert state.execute(statement).rowcount
            state.commit()

    def test_failed_write_of_a_pair_leaks_nothing(self, path, tickets):
        store, lease = tickets
        assert_failure_leaks_nothing(
            lambda: store.put(APP, PAIR, expected_generation=7, lease=lease)
        )
        self.damage(path, "DROP TABLE tickets")
        assert_failure_leaks_nothing(
            lambda: store.put(APP, PAIR, expected_generation=1, lease=lease)
        )

    @pytest.mark.parametrize(
        "expression",
        [
            "substr(record, 1, length(record) - 1)",
            "replace(record, '\"schema\":1', '\"schema\":9')",
            "replace(record, '3600', '-1')",
        ],
        ids=["cut", "newer", "out of bounds"],
    )
    def test_unreadable_pair_leaks_nothing(self, path, tickets, expression):
        self.damage(path, f"UPDATE tickets SET record = CAST({expression} AS BLOB)")  # noqa: S608 - constants
        assert_failure_leaks_nothing(lambda: tickets[0].get(APP))

    def test_failed_write_of_an_order_leaks_nothing(self, path, orders):
        claimed = claim(orders).record
        done = settled(claimed, event=EVENT)
        assert_failure_leaks_nothing(lambda: orders.commit(done, expected=draft()))
        self.damage(path, "DROP TABLE orders")
        assert_failure_leaks_nothing(lambda: orders.commit(done, expected=claimed))
        assert_failure_leaks_nothing(lambda: orders.register(done))

    def test_unreadable_order_leaks_nothing(self, path, orders):
        claimed = claim(orders).record
        orders.commit(settled(claimed, event=EVENT), expected=claimed)
        cut = "CAST(substr(record, 1, length(record) - 1) AS BLOB)"
        self.damage(path, f"UPDATE orders SET record = {cut}")  # noqa: S608 - constants
        assert_failure_leaks_nothing(lambda: orders.get(draft().key))
        assert_failure_leaks_nothing(lambda: claim(orders))


class TestOutputs:
    @pytest.mark.parametrize(
        "body", [BODY, BODY + "\n"], ids=["valid", "with a line end"]
    )
    def test_failed_publish_leaks_nothing(self, tmp_path, body):
        path = tmp_path / "events.jsonl"
        sink = FileEventSink(path)
        path.unlink()
        path.mkdir()
        event = OutboxEvent(id="e1", type="collected", body=body)
        assert_failure_leaks_nothing(lambda: sink.publish([event]))

    @pytest.mark.parametrize("failure", ["conflict", "denied"])
    def test_failed_put_of_a_photo_leaks_nothing(self, tmp_path, failure):
        store = FileEvidenceStore(
            tmp_path / "kept", link_key=tmp_path / "key", clock=FakeClock()
        )
        store_photo(store)
        [photo] = (tmp_path / "kept").rglob("original-*")
        if failure == "conflict":
            photo.write_bytes(b"other bytes")
        else:
            photo.unlink()
            photo.symlink_to(photo)
        assert_failure_leaks_nothing(lambda: store_photo(store))

    @pytest.mark.enable_socket
    @pytest.mark.parametrize("failure", ["refused", "truncated"])
    def test_failed_call_of_the_platform_leaks_nothing(self, failure):
        request = build_token_request(Profile.MINIPROGRAM, APP, Secret(MARK))
        body = json.dumps({"access_token": TOKEN, "bankCardNo": CARD}).encode()
        with closing(HostileServer(respond_once(http_response(body)[:-1]))) as server:
            port = closed_port()
            url = server.url if failure == "truncated" else f"http://127.0.0.1:{port}"
            transport = HttpKycTransport(url, connections=1, max_reply_bytes=1000)
            assert_failure_leaks_nothing(
                lambda: transport.send(request, timeout_seconds=1)
            )
            transport.close()


REPLY = {
    "code": "0",
    "access_token": TOKEN,
    "expire_in": "never",
    "tickets": [{"value": TICKET, "expire_in": "never"}],
    "result": {"bankCardNo": CARD, "originBankcardPhoto": f"{MARK}!"},
}


@pytest.mark.parametrize("end", [None, -1], ids=["odd", "truncated"])
@pytest.mark.parametrize(
    "parse",
    [
        token_replies.parse_token_reply,
        token_replies.parse_ticket_reply,
        BankCard().parse_reply,
    ],
)
def test_malformed_reply_leaks_nothing(parse, end):
    body = ReplyBody(json.dumps(REPLY).encode()[:end])
    assert_failure_leaks_nothing(lambda: parse(body))


REPORTING = """
import sys
sys.path[:0] = [{functions!r}, {tests!r}]
from support.leaks.crash_report import report_crash
from kycourier.adapters import registry
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
UNEXPECTED = "registry.open_stores = lambda *parts: 1 // 0"


def start_reporting(service_rig, name, planted=""):
    """Start a function under a crash reporter that writes to its log."""
    folders = {
        "functions": str(function_file(name).parent),
        "tests": str(Path(__file__).parents[1]),
    }
    return service_rig.start(
        name, REPORTING.format(**folders, name=name, planted=planted)
    )


def check_report(service_rig):
    """Return the log, which must hold a crash report and no canary."""
    log = service_rig.log.read_text()
    assert "reported" in log
    canaries = [
        *service_rig.sandbox.canaries(),
        *CANARIES,
        service_rig.environ["SECRET"],
    ]
    assert find_leaks(canaries, {"log": log}) == []
    return log


@pytest.mark.enable_socket
@pytest.mark.parametrize("name", FUNCTIONS)
def test_unexpected_error_at_start_leaks_nothing(service_rig, name):
    service_rig.environ["KYCOURIER_API_KEYS"] = "env:SECRET"
    with pytest.raises(FunctionStartError):
        start_reporting(service_rig, name, UNEXPECTED).__enter__()
    assert "ZeroDivisionError" in check_report(service_rig)


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("name", "table", "event"),
    [
        ("refresh_ticket", "leases", TIMER_EVENT),
        ("collect_results", "orders", {"order_no": "plain1"}),
        ("sweep_orders", "orders", TIMER_EVENT),
    ],
)
def test_error_of_a_handler_leaks_nothing(service_rig, name, table, event):
    with start_reporting(service_rig, name) as function:
        function.wait_until_ready()
        with closing(sqlite3.connect(service_rig.folder / "state.db")) as state:
            state.execute(f"DROP TABLE {table}")
        with pytest.raises(FunctionFailedError):
            function.invoke(event)
        log = check_report(service_rig)
    assert "HandlerFailedError('handler_failed: store_unavailable')" in log
    assert "adapters/local" not in log  # no frame below the handler


def test_crash_report_holds_the_variables_of_frames():
    def raise_with(text: str) -> None:
        raise KycourierError from ValueError(text)

    with pytest.raises(KycourierError) as failure:
        raise_with(CARD)
    assert find_leaks([CARD], report_crash(failure.value))
