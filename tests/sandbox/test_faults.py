"""Faults set for the next calls, and odd token and ticket replies."""

import pytest

from kycourier_devkit.sandbox import Sandbox, fault_rows
from kycourier_devkit.sandbox.codes import meanings
from sandbox.kyc_client import KycClient, Scene

pytestmark = pytest.mark.enable_socket


@pytest.mark.parametrize("code", [code for code in meanings() if code != "0"])
def test_every_listed_code_can_be_had_from_every_call(
    code: str, sandbox: Sandbox, client: KycClient
) -> None:
    token = client.token()
    ticket = client.ticket(token)
    for kind in ("token", "ticket", "query"):
        sandbox.set_fault(kind, f"code{code.replace('-', 'm')}")

    assert client.ask_token().code == code
    assert client.ask_ticket(token).code == code
    assert client.query("order1", ticket=ticket).code == code


def test_fault_meets_the_next_calls_of_its_kind_and_no_more(scene: Scene) -> None:
    scene.sandbox.set_fault("query", "http503", times=2)

    assert scene.client.ask_token().status == 200
    assert [scene.ask("order1").status for _ in range(3)] == [503, 503, 200]


def test_refused_token_call_leaves_the_current_pair_alone(scene: Scene) -> None:
    scene.sandbox.set_fault("token", "http500")
    scene.client.ask_token()
    scene.clock.advance(61)

    assert scene.ask("order1").code == "0"


def test_token_whose_reply_was_cut_has_been_issued_all_the_same(scene: Scene) -> None:
    scene.sandbox.set_fault("token", "cut")
    scene.client.ask_token()
    scene.clock.advance(60)

    assert scene.ask("order1").code == "400101"


def test_refused_query_does_not_count_as_the_first_visit(scene: Scene) -> None:
    scene.sandbox.set_fault("query", "http503")
    scene.ask("oncehtmlx1")

    assert scene.ask("oncehtmlx1").body.startswith(b"<html>")
    assert scene.sandbox.report().queries_per_order == {"oncehtmlx1": 2}


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
def test_lifetimes_of_replies_can_be_odd(
    sandbox: Sandbox, client: KycClient, fault: str, expire_in: object
) -> None:
    token = client.token()
    sandbox.set_fault("token", fault)
    sandbox.set_fault("ticket", fault)

    assert client.ask_token().json["expire_in"] == expire_in
    assert client.ask_ticket(token).json["tickets"][0]["expire_in"] == expire_in


@pytest.mark.parametrize("number", [0, 2])
def test_number_of_tickets_in_a_reply_can_be_odd(
    sandbox: Sandbox, client: KycClient, number: int
) -> None:
    token = client.token()
    sandbox.set_fault("ticket", f"tickets{number}")

    assert len(client.ask_ticket(token).json["tickets"]) == number


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
def test_unknown_fault_is_an_error(
    sandbox: Sandbox, kind: str, fault: str, times: int
) -> None:
    with pytest.raises(ValueError, match=r" is not |no such fault"):
        sandbox.set_fault(kind, fault, times=times)


def test_every_fault_has_a_line_of_help() -> None:
    assert all(spelling and text for spelling, text in fault_rows())
