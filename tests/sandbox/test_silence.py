"""Nothing secret appears in the report, in texts of objects or on the terminal."""

from http.client import RemoteDisconnected

import pytest

from kycourier_devkit.sandbox import APP_ID, APP_SECRET, Sandbox
from sandbox.kyc_client import NONCE, KycClient, Scene, sign

pytestmark = pytest.mark.enable_socket


def everything_that_can_go_wrong(scene: Scene) -> str:
    """Use every call well and badly; the report as text."""
    client = scene.client
    for order_no in ("order1", "changingx1", "changingx1", "codem9011x1"):
        scene.ask(order_no, get_file="1")
    client.query("order1", ticket="wrong")
    client.ask_token("wrong secret")
    client.ask_ticket("wrong token")
    client.control("fault", kind=APP_SECRET, fault="html")
    client.send("GET", f"/{APP_SECRET}")
    client.send("TRACE", f"/{APP_SECRET}")
    scene.sandbox.change_secret("another secret of the app")
    return client.get("/control/report").body.decode()


def leaks(canaries: frozenset[str], text: str) -> list[str]:
    folded = text.casefold()
    return [canary for canary in canaries if canary.casefold() in folded]


def test_report_and_terminal_show_no_canary(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    report = everything_that_can_go_wrong(scene)
    scene.sandbox.close()
    terminal = "".join(capfd.readouterr())

    canaries = scene.sandbox.canaries()
    assert leaks(canaries, report + terminal + repr(scene.sandbox)) == []
    assert terminal == ""


def test_canaries_hold_secrets_tokens_tickets_signatures_and_card_numbers(
    sandbox: Sandbox, client: KycClient
) -> None:
    token = client.token()
    ticket = client.ticket(token)
    number = client.query("order1", ticket=ticket).result["bankCardNo"]
    signature = sign(APP_ID, "order1", "1.0.0", ticket, NONCE)
    sandbox.change_secret("another")
    sandbox.reset()

    assert {APP_SECRET, "another", token, ticket, signature, number} <= (
        sandbox.canaries()
    )


def test_failure_of_the_sandbox_itself_is_told_without_values(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def broken_clock() -> float:
        raise LookupError(APP_SECRET)

    with Sandbox(clock=broken_clock) as sandbox, pytest.raises(RemoteDisconnected):
        KycClient(sandbox).ask_token()

    terminal = capfd.readouterr().err
    assert "The sandbox failed: LookupError" in terminal
    assert APP_SECRET not in terminal


def test_scan_finds_a_planted_leak(scene: Scene) -> None:
    assert leaks(scene.sandbox.canaries(), f"GET /?sign={scene.ticket.lower()}")
