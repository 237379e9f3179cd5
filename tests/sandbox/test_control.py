"""The control endpoint does what the Python methods do, and says what is wrong."""

import json

import pytest

from kycourier_devkit.sandbox import APP_SECRET, Sandbox
from sandbox.kyc_client import KycClient, Scene

pytestmark = pytest.mark.enable_socket


def test_report_is_the_python_report_as_json(scene: Scene) -> None:
    scene.ask("order1")

    over_http = scene.client.get("/control/report").json
    assert over_http == scene.sandbox.report().to_json()
    assert over_http["queries_per_order"] == {"order1": 1}


def test_report_counts_connections(scene: Scene) -> None:
    before = scene.sandbox.report().connections_opened
    scene.ask("order1")

    assert scene.sandbox.report().connections_opened == before + 1


def test_ticket_can_be_killed(scene: Scene) -> None:
    assert scene.client.control("kill-ticket").status == 200

    assert scene.ask("order1").code == "400101"


def test_secret_can_be_changed(scene: Scene) -> None:
    assert scene.client.control("secret", secret="another").status == 200

    assert scene.ask("order1").code == "400101"
    assert scene.client.ask_token(APP_SECRET).code == "400105"
    assert scene.client.ask_token("another").code == "0"


def test_fault_can_be_set(scene: Scene) -> None:
    fields = {"kind": "query", "fault": "code400506", "times": 2}
    assert scene.client.control("fault", **fields).status == 200

    codes = [scene.ask("order1").code for _ in range(3)]
    assert codes == ["400506", "400506", "0"]


def test_behaviour_of_an_order_can_be_chosen(scene: Scene) -> None:
    fields = {"order_no": "bankcardPic1", "behaviour": "codem9013"}
    assert scene.client.control("order", **fields).status == 200

    assert scene.ask("bankcardPic1").code == "-9013"
    assert scene.ask("bankcardPic2").code == "0"


def test_chosen_behaviour_comes_before_a_magic_number(scene: Scene) -> None:
    scene.sandbox.set_order("codem9013x1", "good")

    assert scene.ask("codem9013x1").code == "0"


def test_reset_forgets_grants_orders_faults_counts_and_a_changed_secret(
    scene: Scene,
) -> None:
    scene.ask("oncehtmlx1")
    scene.sandbox.set_fault("token", "http500")
    scene.sandbox.set_order("order1", "codem9013")
    scene.sandbox.change_secret("another")
    assert scene.client.control("reset").status == 200

    assert scene.sandbox.report().queries_total == 0
    assert scene.ask("order1").code == "400101"
    ticket = scene.client.refresh()
    assert scene.client.query("order1", ticket=ticket).code == "0"
    assert scene.client.query("oncehtmlx1", ticket=ticket).body[:1] == b"<"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("fault", b"{"),
        ("fault", b"[]"),
        ("fault", b"\xff"),
        ("fault", b"[" * 60_000),
        ("fault", b'{"kind":"query"}'),
        ("fault", b'{"kind":"query","fault":"SENTINEL"}'),
        ("fault", b'{"kind":"SENTINEL","fault":"html"}'),
        ("fault", b'{"kind":"query","fault":"html","times":true}'),
        ("fault", b'{"kind":"query","fault":"html","times":"1"}'),
        ("order", b'{"order_no":"SENTINEL-","behaviour":"html"}'),
        ("order", b'{"order_no":"order1","behaviour":"SENTINEL"}'),
        ("secret", b"{}"),
        ("secret", b'{"secret":""}'),
    ],
)
def test_malformed_request_is_400_and_not_echoed(
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
def test_other_methods_and_paths_are_refused(
    client: KycClient, method: str, path: str, status: int
) -> None:
    assert client.send(method, path).status == status


def test_unknown_behaviour_or_order_number_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="no such behaviour"):
        sandbox.set_order("order1", "nothing")
    with pytest.raises(ValueError, match="1 to 32"):
        sandbox.set_order("order-1", "html")
