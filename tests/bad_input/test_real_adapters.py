"""Bad events and replies at the real functions over SQLite, files and HTTP."""

import io
import itertools
import json
from contextlib import contextmanager, redirect_stdout

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bad_input.functions import Called, assert_no_canary, assert_no_leaks
from bad_input.replies import CARD, MALFORMED, PHOTO, WHOLE, any_replies
from bad_input.strategies import CANARY, envelopes, record
from kycourier import bootstrap
from kycourier.core.errors import HandlerFailedError
from support.leaks.leak_scan import find_leaks
from support.servers.hostile_server import HostileServer
from support.servers.hostile_server import http_response as spell_http

pytestmark = pytest.mark.enable_socket
CANARIES = (CARD, PHOTO[8:26].decode(), CANARY, "synthetic-secret")
TOKEN = b'{"code":"0","access_token":"synthetic-secret-t","expire_in":"7200"}'
TICKET = b'{"code":"0","tickets":[{"value":"synthetic-secret-s","expire_in":3600}]}'
SHORT = {"time_limit_in_ms": 2_800}  # too short for late photos
FEW = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
numbers = itertools.count()


class LocalFunctions:
    """The functions over a folder, and a platform with one reply to queries."""

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
        """Invoke a function; the response of one that fails is its error's text."""
        out, check = io.StringIO(), assert_no_leaks
        with redirect_stdout(out):
            try:
                response = start().invoke(event, context)
            except HandlerFailedError as error:
                response, check = str(error), assert_no_canary
        assert json.loads(json.dumps(response)) == response
        called = Called(response, out.getvalue())
        check(called, *CANARIES)
        return called

    def assert_no_leaks_in_files(self):
        """Check all files; the state holds the ticket pair, and no other canary."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path.suffix != ".jpg":
                canaries = CANARIES[:3] if "state.db" in path.name else CANARIES
                assert find_leaks(canaries, {path.name: path.read_bytes()}) == []


@contextmanager
def local_functions(tmp_path, monkeypatch, body):
    def serve(peer):
        while True:
            request = peer.read_request()
            known = {b"access_token?": TOKEN, b"api_ticket?": TICKET}
            found = [each for path, each in known.items() if path in request]
            peer.send(spell_http(found[0] if found else body))

    folder = tmp_path / f"functions{next(numbers)}"
    folder.mkdir()
    server = HostileServer(serve)
    try:
        yield LocalFunctions(folder, monkeypatch, server.url)
    finally:
        server.close()


def collect(functions):
    """Collect one order by the queue; returns its state from the API."""
    batch = {"Records": [record("m1", '{"order_no":"order1"}')]}
    refreshed = functions.call(bootstrap.start_refresh_ticket, {})
    assert refreshed.response["ticket"] == "fresh"
    collected = functions.call(bootstrap.start_collect_results, batch, context=SHORT)
    assert collected.response == {"batchItemFailures": []}
    event = {"httpMethod": "GET", "path": "/v1/orders/order1", "headers": {}}
    fetched = functions.call(bootstrap.start_orders_api, event)
    assert fetched.response["statusCode"] == 200
    functions.assert_no_leaks_in_files()
    return json.loads(fetched.response["body"])["state"]


@pytest.mark.slow
@given(any_replies | st.sampled_from(MALFORMED))
@example(WHOLE)
@FEW
def test_any_reply_leaves_the_order_in_a_known_state(tmp_path, monkeypatch, body):
    with local_functions(tmp_path, monkeypatch, body) as functions:
        assert collect(functions) in {"waiting", "collected", "rejected", "parked"}


@pytest.mark.slow
@given(envelopes, st.sampled_from(["collect_results", "orders_api", "sweep_orders"]))
@FEW
def test_any_event_gets_a_response_or_fails_if_no_trigger_may_swallow_it(
    tmp_path, monkeypatch, event, name
):
    with local_functions(tmp_path, monkeypatch, b"") as functions:
        start = getattr(bootstrap, f"start_{name}")
        response = functions.call(start, event, context=SHORT).response
        refused = (
            name == "collect_results" and response == "handler_failed: bad_request"
        )
        assert refused or isinstance(response, dict)
        functions.assert_no_leaks_in_files()
