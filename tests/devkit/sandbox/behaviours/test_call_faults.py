"""Faults of the next calls, including faults of token and ticket replies."""

import pytest

from devkit.sandbox.kyc_client import KycClient, SandboxRig
from kycourier_devkit.sandbox import Sandbox
from kycourier_devkit.sandbox.platform.result_codes import meanings

pytestmark = pytest.mark.enable_socket


@pytest.mark.parametrize("code", [code for code in meanings() if code != "0"])
def test_every_documented_code_is_available_for_every_call(
    code: str, sandbox: Sandbox, client: KycClient
) -> None:
    token = client.token()
    ticket = client.ticket(token)
    for kind in ("token", "ticket", "query"):
        sandbox.set_fault(kind, f"code{code.replace('-', 'm')}")

    assert client.request_token().code == code
    assert client.request_ticket(token).code == code
    assert client.query("order1", ticket=ticket).code == code


def test_fault_applies_to_next_calls_of_its_kind_only(rig: SandboxRig) -> None:
    rig.sandbox.set_fault("query", "http503", times=2)

    assert rig.client.request_token().status == 200
    assert [rig.query("oncehtmlx1").status for _ in range(2)] == [503, 503]
    assert rig.query("oncehtmlx1").body.startswith(b"<html>")  # the first that counts
    assert rig.sandbox.report().queries_per_order == {"oncehtmlx1": 3}


def test_token_is_issued_although_its_reply_is_truncated(rig: SandboxRig) -> None:
    rig.sandbox.set_fault("token", "cut")
    rig.client.request_token()
    rig.clock.advance(60)

    assert rig.query("order1").code == "400101"


@pytest.mark.parametrize(
    ("fault", "expire_in"),
    [
        ("lifetime0", 0),
        ("lifetimem1", -1),
        ("lifetime1000000000000", 10**12),
        ("lifetimeempty", ""),
        ("lifetimeunit", "3600s"),
    ],
)
def test_grant_fault_changes_lifetime(
    sandbox: Sandbox, client: KycClient, fault: str, expire_in: object
) -> None:
    token = client.token()
    sandbox.set_fault("token", fault)
    sandbox.set_fault("ticket", fault)

    assert client.request_token().json["expire_in"] == expire_in
    assert client.request_ticket(token).json["tickets"][0]["expire_in"] == expire_in


@pytest.mark.parametrize("number", [0, 2])
def test_grant_fault_changes_number_of_tickets(
    sandbox: Sandbox, client: KycClient, number: int
) -> None:
    sandbox.set_fault("ticket", f"tickets{number}")

    assert len(client.request_ticket(client.token()).json["tickets"]) == number


@pytest.mark.parametrize(
    ("kind", "fault", "times"),
    [
        ("login", "html", 1),
        ("query", "", 1),
        ("query", "flat", 1),
        ("query", "late3", 1),
        ("query", "html", -1),
        ("query", "html", 100_001),
    ],
)
def test_set_fault_raises_for_unknown_fault(
    sandbox: Sandbox, kind: str, fault: str, times: int
) -> None:
    with pytest.raises(ValueError, match=r" is not |no such fault"):
        sandbox.set_fault(kind, fault, times=times)
