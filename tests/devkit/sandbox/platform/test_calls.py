"""The three calls over HTTP: replies, errors and the counts in the report."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from devkit.sandbox.kyc_client import (
    NONCE,
    PHOTOS,
    RESULT_PATH,
    TICKET_PATH,
    TOKEN_PATH,
    FakeClock,
    KycClient,
    SandboxRig,
    query_parameters,
    token_parameters,
)
from kycourier_devkit.sandbox import APP_ID, APP_SECRET, Sandbox

pytestmark = pytest.mark.enable_socket


def test_token_reply_has_documented_fields(client: KycClient) -> None:
    reply = client.request_token().json

    assert reply.pop("access_token").isalnum()
    assert reply == {
        "code": "0",
        "msg": "请求成功",
        "transactionTime": "20231115061320",  # UTC+8
        "expire_time": "20231115061320",
        "expire_in": "7200",
    }


def test_ticket_reply_has_one_entry(client: KycClient) -> None:
    reply = client.request_ticket(client.token()).json

    (entry,) = reply["tickets"]
    assert entry.pop("value").isalnum()
    assert entry == {"expire_time": "20231115061320", "expire_in": "3600"}


def test_nonce_ticket_lasts_two_minutes_and_signs_no_query(client: KycClient) -> None:
    token = client.token()
    reply = client.request_ticket(token, "NONCE").json

    assert reply["tickets"][0]["expire_in"] == "120"
    assert client.query("a1", ticket=reply["tickets"][0]["value"]).code == "400101"


def test_result_has_documented_fields(rig: SandboxRig) -> None:
    reply = rig.query("order1", get_file="1")

    assert set(reply.json) == {"code", "msg", "bizSeqNo", "result", "transactionTime"}
    assert set(reply.result) == {
        *("bizSeqNo", "transactionTime", "orderNo", "bankCardNo", "bankCardValidDate"),
        *PHOTOS,
        *("warnCode", "multiWarnCode", "operateTime", "clarity", "success"),
    }
    assert reply.result["operateTime"] == "2023-11-15 06:12:50"
    assert len(reply.json["bizSeqNo"]) == 32
    without_photos = rig.query("order1", get_file="2").result.keys()
    assert reply.result.keys() - without_photos == set(PHOTOS)


@pytest.mark.parametrize("changed", ["order_no", "nonce"])
def test_signature_of_other_values_is_rejected_and_counted(
    rig: SandboxRig, changed: str
) -> None:
    parameters = query_parameters("order1", ticket=rig.ticket)
    parameters[changed] = parameters[changed][::-1]

    reply = rig.client.get(RESULT_PATH, **parameters, get_file="0")

    assert (reply.code, rig.sandbox.report().sign_rejections) == ("400101", 1)


def test_age_of_superseded_ticket_is_reported(rig: SandboxRig) -> None:
    rig.clock.advance(1200)
    rig.client.refresh()
    rig.clock.advance(59.5)
    assert rig.query("order1").code == "0"

    assert rig.sandbox.report().superseded_ticket_ages_seconds == [59.5]


def test_nonce_is_repeated_only_with_same_order_and_ticket(rig: SandboxRig) -> None:
    other = NONCE[::-1]
    for order_no, nonce in (("a1", NONCE), ("b1", NONCE), ("a1", other), ("a1", NONCE)):
        reply = rig.client.query(order_no, ticket=rig.ticket, nonce=nonce)
        assert reply.code == "0"

    assert rig.sandbox.report().repeated_nonces == 1


def test_queries_are_counted_in_total_and_per_order(rig: SandboxRig) -> None:
    for order_no in ("a1", "a1", "b1"):
        rig.query(order_no)
    rig.client.get(RESULT_PATH, app_id=APP_ID)

    report = rig.sandbox.report()
    assert (report.token_calls, report.ticket_calls, report.queries_total) == (1, 1, 4)
    assert report.queries_per_order == {"a1": 2, "b1": 1}


def test_overlapping_refreshes_are_counted(rig: SandboxRig) -> None:
    rig.client.refresh()
    assert rig.sandbox.report().overlaps == 0
    rig.client.token()
    rig.client.token()
    assert rig.sandbox.report().overlaps == 1


def test_concurrent_token_calls_overlap() -> None:
    both = Barrier(2, timeout=10)
    with Sandbox(token_latency_seconds=1, sleep=lambda _: both.wait()) as sandbox:
        client = KycClient(sandbox)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(client.request_token, [APP_SECRET] * 2))

        assert sandbox.report().overlaps == 1


def test_maximum_of_concurrent_queries_is_reported(clock: FakeClock) -> None:
    three = Barrier(3, timeout=10)
    with Sandbox(
        clock=clock, query_latency_seconds=1, sleep=lambda _: three.wait()
    ) as sandbox:
        client = KycClient(sandbox)
        ticket = client.refresh()
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda n: client.query(f"o{n}", ticket=ticket), range(3)))

        report = sandbox.report()
        assert (report.max_concurrent_queries, report.concurrent_queries) == (3, 0)


def test_latency_lifetimes_and_type_of_expire_in_are_options(clock: FakeClock) -> None:
    with Sandbox(
        clock=clock,
        sleep=clock.advance,
        token_latency_seconds=2,
        token_lifetime_seconds=100,
        ticket_lifetime_seconds=50,
        coexistence_seconds=5,
        expire_in="int",
    ) as sandbox:
        client, before = KycClient(sandbox), clock()
        reply = client.request_token().json
        ticket = client.request_ticket(reply["access_token"]).json["tickets"][0]
        assert (reply["expire_in"], ticket["expire_in"]) == (100, 50)
        assert clock() - before == 4
        client.token()
        clock.advance(5)
        assert client.query("order1", ticket=ticket["value"]).code == "400101"


def test_kyc1_profile_requires_its_parameter_name_for_grants_only() -> None:
    with Sandbox(profile="kyc1") as sandbox:
        client = KycClient(sandbox)
        parameters = token_parameters()
        assert client.get(TOKEN_PATH, **parameters).code == "66660013"
        parameters["appId"] = parameters.pop("app_id")
        token = client.get(TOKEN_PATH, **parameters).json["access_token"]
        reply = client.get(
            TICKET_PATH, appId=APP_ID, access_token=token, type="SIGN", version="1.0.0"
        )
        ticket = reply.json["tickets"][0]["value"]
        assert client.query("order1", ticket=ticket).code == "0"


@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_other_methods_than_get_are_rejected(client: KycClient, method: str) -> None:
    reply = client.send(method, TOKEN_PATH)

    assert (reply.status, reply.headers["Allow"]) == (405, "GET")


def test_unknown_path_gets_404_in_html(client: KycClient) -> None:
    reply = client.get(f"{TOKEN_PATH}/")

    assert (reply.status, reply.headers["Content-Type"][:9]) == (404, "text/html")
