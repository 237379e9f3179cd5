"""Whatever is sent to the API: a 4xx, no failure noted, and nothing of it repeated."""

from datetime import timedelta
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bad_input.functions import Functions, assert_silent
from bad_input.http_events import GATEWAYS, HTTP_SAMPLES, broken_events, build_event
from bad_input.strategies import (
    CANARY,
    LONG,
    NO_JSON,
    ORDER,
    SIGNATURE,
    bad_bodies,
    bad_order_texts,
    control_values,
    deep,
    json_values,
    odd_headers,
    texts,
)
from kycourier.core.hidden import Secret
from kycourier.core.request_signature import SignedRequest, sign_request
from openapi_check import check_answer
from worlds import SecretInMemory

ROUTES = [
    ("PUT", "/v1/orders/{}"),
    ("GET", "/v1/orders/{}"),
    ("POST", "/v1/orders/{}/collection"),
    ("GET", "/v1/orders/{}/photos/original"),
]
WITH_BODY = [ROUTES[0], ROUTES[2]]
KEY = "a-key-of-a-test"
gateways = st.sampled_from(GATEWAYS)


@cache
def functions():
    return Functions()


@cache
def locked_functions():
    return Functions(api_keys=SecretInMemory(KEY))


def refused(event, *, by=functions, method="GET", path="/unreadable"):
    """Send it; give the status, after making sure that all of it is a refusal."""
    called = by().call("orders_api", event)
    assert 400 <= called.answer["statusCode"] < 500, called
    assert_silent(called, CANARY)
    check_answer(method, path, called.answer)
    assert by().world.state.orders.rows == {}
    return called.answer["statusCode"]


@given(gateways, st.sampled_from(ROUTES), bad_order_texts)
@example("http_v2", ROUTES[0], "a" * 10_000)
@example("rest_v1", ROUTES[0], "a\n")
def test_a_malformed_order_number_is_refused(gateway, route, number):
    method, path = route
    event = build_event(gateway, method, path.format(number))
    assert refused(event) in {400, 404, 414}


def test_the_scan_sees_the_answer_and_the_log():
    called = functions().call("orders_api", {})
    with pytest.raises(AssertionError):
        assert_silent(called, "The request cannot be read")
    with pytest.raises(AssertionError):
        assert_silent(called, "request_refused")


@given(gateways, texts)
def test_an_unknown_photo_kind_is_refused(gateway, kind):
    path = f"/v1/orders/{ORDER}/photos/{CANARY}{kind}"
    assert refused(build_event(gateway, "GET", path)) in {400, 404}


@given(gateways, texts, st.sampled_from(["GET", "PUT", "POST", "HEAD", "TRACE"]))
def test_an_unknown_path_is_refused(gateway, path, method):
    event = build_event(gateway, method, f"/{CANARY}/{path}")
    assert refused(event) in {400, 404}


@given(gateways, st.sampled_from(WITH_BODY), bad_bodies)
def test_a_body_that_is_not_as_described_is_refused(gateway, route, body):
    method, path = route
    event = build_event(gateway, method, path.format(ORDER), body=body, in_base64=True)
    assert refused(event) in {400, 413}


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("name", NO_JSON)
def test_bytes_that_are_no_plain_json_are_refused(gateway, name):
    event = build_event(
        gateway, "PUT", f"/v1/orders/{ORDER}", body=NO_JSON[name], in_base64=True
    )
    assert refused(event) == 400


@pytest.mark.parametrize("in_base64", [False, True])
@pytest.mark.parametrize("name", LONG)
def test_a_long_body_is_refused_unread(name, in_base64):
    event = build_event(
        "http_v2", "PUT", f"/v1/orders/{ORDER}", body=LONG[name], in_base64=in_base64
    )
    assert refused(event) == 413


@given(gateways, control_values, st.booleans())
def test_a_header_with_a_control_character_is_refused(gateway, text, in_name):
    headers = {text: "a"} if in_name else {"x-note": text}
    event = build_event(gateway, "GET", "/v1/health", headers=headers)
    assert refused(event) == 400


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_headers_of_more_than_16_kib_are_refused(gateway):
    one = {CANARY: "a" * 16_384}
    many = {f"{CANARY}{number}": "" for number in range(2_000)}
    for headers in (one, many):
        event = build_event(gateway, "GET", "/v1/health", headers=headers)
        assert refused(event) == 431


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("place", ["path", "query"])
def test_a_url_of_more_than_16_kib_is_refused(gateway, place):
    long = "&".join(f"{CANARY}{number}=1" for number in range(1_000))
    path, query = ("/v1/health", long) if place == "query" else (f"/v1/{long}", "")
    event = build_event(gateway, "GET", path, query=query)
    assert refused(event) == 414


@given(gateways, odd_headers)
def test_odd_headers_are_ignored_or_refused(gateway, headers):
    """`Prefer` and `traceparent` are read; what they say wrongly is not repeated."""
    order = "odd1"
    event = build_event(
        gateway, "POST", f"/v1/orders/{order}/collection", headers=headers
    )
    called = functions_of_its_own().call("orders_api", event)
    assert called.answer["statusCode"] in {200, 202, 400}
    assert_silent(called, CANARY)


@cache
def functions_of_its_own():
    return Functions()


def test_a_preference_inside_quotes_that_are_left_open_is_none():
    """Each quote is looked for once: read the other way it took time by the square."""
    headers = {"Prefer": '"' + '\\"' * 4_000 + ", respond-async"}
    event = build_event(
        "scf_url", "POST", "/v1/orders/odd2/collection", headers=headers
    )
    called = functions_of_its_own().call("orders_api", event)
    assert "Preference-Applied" not in called.answer["headers"]


@given(broken_events(HTTP_SAMPLES))
def test_an_event_that_lacks_something_is_answered(event):
    """A query or a header less does no harm; what is vital is missed with a 4xx."""
    called = functions_of_its_own().call("orders_api", event)
    assert called.answer["statusCode"] < 500
    assert_silent(called, CANARY)


@given(json_values)
@example({})
@example([])
@example({"Records": []})
def test_any_value_for_an_event_is_refused(event):
    assert refused(event) == 400


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize(
    "member", ["body", "headers", "path", "httpMethod", "rawPath", "requestContext"]
)
def test_a_member_as_deep_as_can_be_is_refused_or_ignored(gateway, member):
    event = build_event(gateway, "GET", "/v1/absent") | {member: deep(50_000)}
    assert refused(event) in {400, 404}


class TestSigned:
    """`signature`: whoever has not signed this very request now learns nothing."""

    PATH = f"/v1/orders/{ORDER}"

    def sent(self, *, key=KEY, late=0, **changes):
        now = locked_functions().world.clock.now() + timedelta(seconds=late)
        request = {"method": "PUT", "path": self.PATH, "query": "", "body": b"{}"}
        return sign_request(
            SignedRequest(**(request | changes)), key=Secret(key), at=now
        )

    def refused(self, gateway, headers):
        event = build_event(
            gateway, "PUT", self.PATH, headers=headers, body=b"{}", in_base64=True
        )
        return refused(event, by=locked_functions, method="PUT", path=self.PATH)

    @given(gateways, texts | st.text(alphabet="t=v1,0af9 ", max_size=80))
    def test_a_signature_that_is_none_is_refused(self, gateway, text):
        assert self.refused(gateway, {SIGNATURE: text}) in {400, 401}

    @given(gateways, st.integers(0, 78))
    def test_one_that_is_cut_anywhere_is_refused(self, gateway, end):
        assert self.refused(gateway, {SIGNATURE: self.sent()[:end]}) in {400, 401}

    @pytest.mark.parametrize("gateway", GATEWAYS)
    @pytest.mark.parametrize(
        "how",
        [
            {"method": "POST"},
            {"path": f"{PATH}/collection"},
            {"query": "a=1"},
            {"body": b"{} "},
            {"key": "another-key"},
            {"late": -301},
            {"late": 301},
        ],
        ids=str,
    )
    def test_another_requests_keys_or_times_is_refused(self, gateway, how):
        assert self.refused(gateway, {SIGNATURE: self.sent(**how)}) == 401

    @pytest.mark.parametrize("gateway", GATEWAYS)
    def test_none_two_and_a_long_one_are_refused(self, gateway):
        good = self.sent()
        for headers in (
            {},
            {SIGNATURE: good, SIGNATURE.upper(): good},
            {SIGNATURE: f"{good},{good}"},
            {SIGNATURE: "t=1," * 4_000},
        ):
            assert self.refused(gateway, headers) == 401

    def test_the_right_one_is_let_in(self):
        """What is refused above is refused for its fault alone."""
        ours = Functions(api_keys=SecretInMemory(KEY))
        event = build_event(
            "http_v2", "PUT", self.PATH, headers={SIGNATURE: self.sent()}, body=b"{}"
        )
        assert ours.call("orders_api", event).answer["statusCode"] == 201

    @given(gateways, st.sampled_from(ROUTES), texts)
    def test_who_has_not_signed_learns_nothing(self, gateway, route, text):
        method, path = route
        event = build_event(gateway, method, path.format(text), body=b"{}")
        assert refused(event, by=locked_functions) in {400, 401}
