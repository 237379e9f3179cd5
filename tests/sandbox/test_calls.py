"""The three calls over HTTP: replies, refusals and what the report says of them."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from kycourier_devkit.sandbox import APP_ID, APP_SECRET, Sandbox
from sandbox.kyc_client import (
    NONCE,
    PHOTOS,
    RESULT_PATH,
    TICKET_PATH,
    TOKEN_PATH,
    FakeClock,
    KycClient,
    Scene,
    query_parameters,
    sign,
    token_parameters,
)

pytestmark = pytest.mark.enable_socket


def test_token_reply_has_the_fields_of_the_page(client: KycClient) -> None:
    reply = client.ask_token().json

    assert reply.pop("access_token").isalnum()
    assert reply == {
        "code": "0",
        "msg": "请求成功",
        "transactionTime": "20231115061320",  # UTC+8
        "expire_time": "20231115061320",
        "expire_in": "7200",
    }


def test_ticket_reply_has_exactly_one_entry(client: KycClient) -> None:
    reply = client.ask_ticket(client.token()).json

    (entry,) = reply["tickets"]
    assert entry.pop("value").isalnum()
    assert entry == {"expire_time": "20231115061320", "expire_in": "3600"}


def test_nonce_ticket_lasts_two_minutes_and_signs_no_query(client: KycClient) -> None:
    token = client.token()
    reply = client.ask_ticket(token, "NONCE").json

    assert reply["tickets"][0]["expire_in"] == "120"
    assert client.query("a1", ticket=reply["tickets"][0]["value"]).code == "400101"


def test_result_has_the_fields_of_the_page(scene: Scene) -> None:
    reply = scene.ask("order1", get_file="1")

    assert set(reply.json) == {"code", "msg", "bizSeqNo", "result", "transactionTime"}
    assert set(reply.result) == {
        *("bizSeqNo", "transactionTime", "orderNo", "bankCardNo", "bankCardValidDate"),
        *PHOTOS,
        *("warnCode", "multiWarnCode", "operateTime", "clarity", "success"),
    }
    assert reply.result["operateTime"] == "2023-11-15 06:12:50"
    assert len(reply.json["bizSeqNo"]) == 32


@pytest.mark.parametrize("get_file", ["0", "2", "x"])
def test_no_photos_without_get_file_1(scene: Scene, get_file: str) -> None:
    assert not set(PHOTOS) & scene.ask("order1", get_file=get_file).result.keys()


def test_signature_in_small_letters_is_accepted(scene: Scene) -> None:
    parameters = query_parameters("order1", ticket=scene.ticket)
    for changed in (parameters["sign"].upper(), parameters["sign"].lower()):
        parameters["sign"] = changed
        assert scene.client.get(RESULT_PATH, **parameters, get_file="0").code == "0"


@pytest.mark.parametrize("changed", ["order_no", "nonce"])
def test_signature_over_other_values_is_rejected_and_counted(
    scene: Scene, changed: str
) -> None:
    parameters = query_parameters("order1", ticket=scene.ticket)
    parameters[changed] = parameters[changed][::-1]

    reply = scene.client.get(RESULT_PATH, **parameters, get_file="0")

    assert (reply.code, scene.sandbox.report().sign_rejections) == ("400101", 1)


def test_signature_with_a_case_insensitive_sort_is_rejected(scene: Scene) -> None:
    parameters = query_parameters("aaa", ticket=scene.ticket)
    values = [APP_ID, "aaa", "1.0.0", scene.ticket, NONCE]
    joined = "".join(sorted(values, key=str.lower))
    parameters["sign"] = sign(joined)

    assert scene.client.get(RESULT_PATH, **parameters, get_file="0").code == "400101"


def test_superseded_ticket_serves_for_a_minute_and_is_reported(scene: Scene) -> None:
    scene.clock.advance(1200)
    scene.client.refresh()
    scene.clock.advance(59.5)
    assert scene.ask("order1").code == "0"
    scene.clock.advance(0.5)
    assert scene.ask("order2").code == "400101"

    assert scene.sandbox.report().superseded_ticket_ages_seconds == [59.5]


def test_only_a_nonce_seen_twice_with_order_and_ticket_is_counted(
    scene: Scene,
) -> None:
    other = NONCE[::-1]
    for order_no, nonce in (("a1", NONCE), ("b1", NONCE), ("a1", other), ("a1", NONCE)):
        reply = scene.client.query(order_no, ticket=scene.ticket, nonce=nonce)
        assert reply.code == "0"

    assert scene.sandbox.report().repeated_nonces == 1


def test_queries_are_counted_in_all_and_per_order(scene: Scene) -> None:
    for order_no in ("a1", "a1", "b1"):
        scene.ask(order_no)
    scene.client.get(RESULT_PATH, app_id=APP_ID)

    report = scene.sandbox.report()
    assert (report.token_calls, report.ticket_calls, report.queries_total) == (1, 1, 4)
    assert report.queries_per_order == {"a1": 2, "b1": 1}


def test_refreshes_one_after_another_do_not_overlap(scene: Scene) -> None:
    scene.client.refresh()

    assert scene.sandbox.report().overlaps == 0


def test_token_call_before_the_other_ticket_is_bought_overlaps(scene: Scene) -> None:
    scene.client.token()
    scene.clock.advance(9)
    scene.client.token()

    assert scene.sandbox.report().overlaps == 1


def test_token_calls_in_flight_together_overlap() -> None:
    both = Barrier(2, timeout=10)
    with Sandbox(token_latency_seconds=1, sleep=lambda _: both.wait()) as sandbox:
        client = KycClient(sandbox)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(client.ask_token, [APP_SECRET] * 2))

        assert sandbox.report().overlaps == 1


def test_most_concurrent_queries_are_reported(clock: FakeClock) -> None:
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


def test_latencies_pass_before_an_answer(clock: FakeClock) -> None:
    with Sandbox(
        clock=clock,
        sleep=clock.advance,
        token_latency_seconds=2,
        query_latency_seconds=3,
    ) as sandbox:
        client, before = KycClient(sandbox), clock()
        ticket = client.refresh()
        assert clock() - before == 4
        client.query("order1", ticket=ticket)
        assert clock() - before == 7


def test_lifetimes_and_the_type_of_expire_in_are_options(clock: FakeClock) -> None:
    with Sandbox(
        clock=clock,
        token_lifetime_seconds=100,
        ticket_lifetime_seconds=50,
        coexistence_seconds=5,
        expire_in="int",
    ) as sandbox:
        client = KycClient(sandbox)
        reply = client.ask_token().json
        ticket = client.ask_ticket(reply["access_token"]).json["tickets"][0]
        assert (reply["expire_in"], ticket["expire_in"]) == (100, 50)
        client.token()
        clock.advance(5)
        assert client.query("order1", ticket=ticket["value"]).code == "400101"


def test_kyc1_profile_takes_its_spelling_for_grants_and_app_id_for_queries() -> None:
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


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_only_get_is_allowed(client: KycClient, method: str) -> None:
    reply = client.send(method, TOKEN_PATH)

    assert (reply.status, reply.headers["Allow"]) == (405, "GET")


@pytest.mark.parametrize("path", ["/", "/api/server/getOcrResult", f"{TOKEN_PATH}/"])
def test_unknown_path_is_404_in_html(client: KycClient, path: str) -> None:
    reply = client.get(path)

    assert (reply.status, reply.headers["Content-Type"][:9]) == (404, "text/html")
