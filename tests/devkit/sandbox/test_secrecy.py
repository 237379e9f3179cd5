"""The report, the repr of objects and the terminal contain no secret value."""

from http.client import RemoteDisconnected

import pytest

from devkit.sandbox.document_calls import DOCUMENTS
from devkit.sandbox.kyc_client import NONCE, KycClient, SandboxRig, sign
from kycourier_devkit.sandbox import APP_ID, APP_SECRET, Sandbox
from support.leaks.leak_scan import find_leaks

pytestmark = pytest.mark.enable_socket


def make_good_and_bad_calls(rig: SandboxRig) -> str:
    """Make valid and invalid calls of each kind. Returns the report as text."""
    client = rig.client
    for order_no in ("order1", "changingx1", "changingx1", "codem9011x1"):
        rig.query(order_no, get_file="1")
    for document in DOCUMENTS:
        rig.of(document).query("order1", get_file="1")
        client.query("order1", ticket="wrong", document=document)
    client.request_token("wrong secret")
    client.request_ticket("wrong token")
    client.control("fault", kind=APP_SECRET, fault="html")
    client.send("GET", f"/{APP_SECRET}")
    client.send("TRACE", f"/{APP_SECRET}")
    rig.sandbox.change_secret("another secret of the app")
    return client.get("/control/report").body.decode()


def test_report_and_terminal_contain_no_secret(
    rig: SandboxRig, capfd: pytest.CaptureFixture[str]
) -> None:
    report = make_good_and_bad_calls(rig)
    rig.sandbox.close()
    terminal = "".join(capfd.readouterr())

    texts = {"report": report, "repr": repr(rig.sandbox)}
    assert find_leaks(rig.sandbox.canaries(), texts) == []
    assert terminal == ""


def test_canaries_contain_secrets_tokens_tickets_signatures_and_card_numbers(
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


def test_internal_error_is_printed_without_values(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def broken_clock() -> float:
        raise LookupError(APP_SECRET)

    with Sandbox(clock=broken_clock) as sandbox, pytest.raises(RemoteDisconnected):
        KycClient(sandbox).request_token()

    terminal = capfd.readouterr().err
    assert "The sandbox failed: LookupError" in terminal
    assert APP_SECRET not in terminal
