"""The control endpoint has the effect of the Python methods and reports errors."""

import json

import pytest

from devkit.sandbox.kyc_client import KycClient, SandboxRig
from kycourier_devkit.sandbox import APP_SECRET, order_rows
from kycourier_devkit.sandbox.behaviours.call_faults import KINDS

pytestmark = pytest.mark.enable_socket


def test_report_equals_report_of_python_api(rig: SandboxRig) -> None:
    before = rig.sandbox.report().connections_opened
    rig.query("order1")

    over_http = rig.client.get("/control/report").json
    assert over_http == rig.sandbox.report().to_json()
    assert over_http["queries_per_order"] == {"order1": 1}
    assert over_http["connections_opened"] == before + 2


def test_kill_ticket_revokes_ticket(rig: SandboxRig) -> None:
    assert rig.client.control("kill-ticket").status == 200

    assert rig.query("order1").code == "400101"


def test_secret_is_changed(rig: SandboxRig) -> None:
    assert rig.client.control("secret", secret="another").status == 200

    assert rig.query("order1").code == "400101"
    assert rig.client.request_token(APP_SECRET).code == "400105"
    assert rig.client.request_token("another").code == "0"


def test_fault_and_behaviour_of_an_order_are_set(rig: SandboxRig) -> None:
    fault = {"kind": "query", "fault": "code400506", "times": 1}
    order = {"order_no": "codem9013x1", "behaviour": "codem9011"}
    assert rig.client.control("fault", **fault).status == 200
    assert rig.client.control("order", **order).status == 200

    assert rig.query("codem9013x1").code == "400506"
    assert rig.query("codem9013x1").code == "-9011"
    assert rig.query("codem9013x2").code == "-9013"


def test_reset_restores_initial_state(rig: SandboxRig) -> None:
    rig.query("oncehtmlx1")
    rig.sandbox.set_fault("token", "http500")
    rig.sandbox.set_order("order1", "codem9013")
    rig.sandbox.change_secret("another")
    assert rig.client.control("reset").status == 200

    assert rig.sandbox.report().queries_total == 0
    assert rig.query("order1").code == "400101"
    ticket = rig.client.refresh()
    assert rig.client.query("order1", ticket=ticket).code == "0"
    assert rig.client.query("oncehtmlx1", ticket=ticket).body[:1] == b"<"


CALLS = {
    "/control": "GET",
    "/control/report": "GET",
    "/control/kill-ticket": "POST",
    "/control/reset": "POST",
    "/control/secret": "POST",
    "/control/fault": "POST",
    "/control/order": "POST",
}


def test_index_lists_the_calls_that_are_handled(client: KycClient) -> None:
    index = client.get("/control").json

    assert {call["path"]: call["method"] for call in index["calls"]} == CALLS
    for call in index["calls"]:
        body = dict.fromkeys(call["body"], "x")
        reply = client.send(call["method"], call["path"], json.dumps(body).encode())
        refused = bool(call["body"].keys() & {"kind", "behaviour"})  # what is "x"?
        assert reply.status == (400 if refused else 200)
        assert call["help"]
    assert set(index["kinds"]) == set(KINDS)
    assert index["order_numbers"] == dict(order_rows())
    assert {"html", "appexpired", "codeN"} <= set(index["faults"])


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("fault", b"{"),
        ("fault", b"\xff"),
        ("fault", b"[" * 60_000),
        ("fault", b'{"kind":"query"}'),
        ("fault", b'{"kind":"query","fault":"SENTINEL"}'),
        ("fault", b'{"kind":"SENTINEL","fault":"html"}'),
        ("fault", b'{"kind":"query","fault":"html","times":"1"}'),
        ("order", b'{"order_no":"SENTINEL-","behaviour":"html"}'),
        ("order", b'{"order_no":"order1","behaviour":"SENTINEL"}'),
        ("secret", b"{}"),
        ("secret", b'{"secret":""}'),
    ],
)
def test_malformed_request_gets_400_and_is_not_quoted(
    client: KycClient, name: str, body: bytes
) -> None:
    reply = client.send("POST", f"/control/{name}", body)

    assert reply.status == 400
    assert list(json.loads(reply.body)) == ["error"]
    assert b"SENTINEL" not in reply.body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/control/report", 405),
        ("GET", "/control/reset", 405),
        ("POST", "/control/", 404),
        ("GET", "/control/nothing", 404),
    ],
)
def test_other_methods_and_paths_get_405_and_404(
    client: KycClient, method: str, path: str, status: int
) -> None:
    assert client.send(method, path).status == status
