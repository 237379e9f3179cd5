"""The real functions over SQLite, files and HTTP, and a platform that answers badly."""

import io
import itertools
import json
from contextlib import contextmanager, redirect_stdout

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bad_input.functions import Called, assert_silent
from bad_input.strategies import CANARY, envelopes, record
from bad_input.upstream import CARD, NO_REPLIES, PHOTO, WHOLE, any_replies
from hostile import HostileServer
from hostile import reply as spell_http
from kycourier import bootstrap
from leak_scan import find_leaks

pytestmark = pytest.mark.enable_socket
CANARIES = (CARD, PHOTO[8:26].decode(), CANARY, "synthetic-secret")
TOKEN = b'{"code":"0","access_token":"synthetic-secret-t","expire_in":"7200"}'
TICKET = b'{"code":"0","tickets":[{"value":"synthetic-secret-s","expire_in":3600}]}'
SHORT = {"time_limit_in_ms": 2_800}  # too short to wait for late photos
FEW = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
numbers = itertools.count()


class House:
    """Functions over a folder of their own, and a platform of one answer."""

    def __init__(self, folder, monkeypatch, url):
        self.folder = folder
        self.environ = {
            "KYCOURIER_APP_ID": "SANDBOX1",
            "KYCOURIER_APP_SECRET": "env:SECRET",
            "KYCOURIER_KYC_URL": url,
            "KYCOURIER_STATE": f"sqlite:///{folder}/state.db",
            "KYCOURIER_EVIDENCE": f"file://{folder}/evidence",
            "KYCOURIER_EVENTS": f"file://{folder}/events.jsonl",
            "KYCOURIER_FINGERPRINT_KEY": "env:FINGERPRINT",
            "KYCOURIER_API_AUTH": "none",
            "SECRET": "synthetic-secret",
            "FINGERPRINT": "synthetic-secret-fingerprint-key-32",
        }
        for name, value in self.environ.items():
            monkeypatch.setenv(name, value)

    def call(self, start, event, *, context=None):
        out = io.StringIO()
        with redirect_stdout(out):
            answer = start().invoke(event, context)
        assert json.loads(json.dumps(answer)) == answer
        called = Called(answer, out.getvalue())
        assert_silent(called, *CANARIES)
        return called

    def assert_files_silent(self):
        """No file shows a canary, but the pair in the state its ticket."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path.suffix != ".jpg":
                canaries = CANARIES[:3] if "state.db" in path.name else CANARIES
                assert find_leaks(canaries, {path.name: path.read_bytes()}) == []


@contextmanager
def house_of(tmp_path, monkeypatch, body):
    def play(peer):
        while True:
            asked = peer.hear()
            known = {b"access_token?": TOKEN, b"api_ticket?": TICKET}
            found = [each for path, each in known.items() if path in asked]
            peer.send(spell_http(found[0] if found else body))

    folder = tmp_path / f"house{next(numbers)}"
    folder.mkdir()
    server = HostileServer(play)
    try:
        yield House(folder, monkeypatch, server.url)
    finally:
        server.close()


def collect(house):
    """Collect one order by the queue, and show it by the API; give its state."""
    batch = {"Records": [record("m1", '{"order_no":"order1"}')]}
    house.call(bootstrap.start_refresh_ticket, {})
    answered = house.call(bootstrap.start_collect_results, batch, context=SHORT)
    assert answered.answer == {"batchItemFailures": []}
    event = {"httpMethod": "GET", "path": "/v1/orders/order1", "headers": {}}
    shown = house.call(bootstrap.start_orders_api, event)
    assert shown.answer["statusCode"] == 200
    house.assert_files_silent()
    return json.loads(shown.answer["body"])["state"]


def test_a_good_reply_is_collected(tmp_path, monkeypatch):
    with house_of(tmp_path, monkeypatch, WHOLE) as house:
        assert collect(house) == "collected"
        assert len(list((house.folder / "evidence").rglob("*.jpg"))) == 3


@pytest.mark.parametrize("body", NO_REPLIES, ids=lambda body: ascii(body[:16]))
def test_what_is_no_reply_is_waited_out(tmp_path, monkeypatch, body):
    with house_of(tmp_path, monkeypatch, body) as house:
        assert collect(house) == "waiting"


@pytest.mark.slow
@given(any_replies)
@FEW
def test_any_reply_leaves_the_order_safe(tmp_path, monkeypatch, body):
    with house_of(tmp_path, monkeypatch, body) as house:
        states = {"waiting", "collected", "rejected", "expired", "parked"}
        assert collect(house) in states


@pytest.mark.slow
@given(envelopes, st.sampled_from(["collect_results", "orders_api", "sweep_orders"]))
@FEW
def test_any_event_is_answered(tmp_path, monkeypatch, event, name):
    with house_of(tmp_path, monkeypatch, b"") as house:
        house.call(getattr(bootstrap, f"start_{name}"), event, context=SHORT)
        house.assert_files_silent()
