"""For any bad request, the API responds with a 4xx that repeats nothing of it."""

from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bad_input.functions import Functions, assert_no_leaks, check_refused
from bad_input.http_events import (
    GATEWAYS,
    ROUTES,
    broken_events,
    build_event,
    gateways,
)
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
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import SignedRequest, sign_request
from support.fakes import START
from support.rigs.in_memory import MutableSecret
from support.sample_events import HTTP_SAMPLES

KEY = "a-key-of-a-test"
WITH_BODY = [ROUTES[0], ROUTES[2]]


@cache
def unchanged_functions():
    """Functions that no request of these tests may change."""
    return Functions()


@cache
def changed_functions():
    """Functions of those tests whose requests may succeed."""
    return Functions()


@cache
def signed_functions():
    """Functions that accept only signed requests."""
    return Functions(api_keys=MutableSecret(KEY))


def refused(event):
    """Send a request, which must be refused; returns the status."""
    return check_refused(unchanged_functions(), event)


@given(gateways, st.sampled_from(ROUTES), bad_order_texts)
@example("http_v2", ROUTES[0], "a" * 10_000)
@example("rest_v1", ROUTES[0], "a\n")
def test_malformed_order_number_is_refused(gateway, route, number):
    method, path = route
    event = build_event(gateway, method, path.format(number))
    assert refused(event) in {400, 404, 414}


@given(
    gateways,
    st.sampled_from([f"/v1/orders/{ORDER}/photos/{CANARY}", f"/{CANARY}/"]),
    texts,
)
def test_unknown_photo_or_path_is_refused(gateway, prefix, text):
    assert refused(build_event(gateway, "GET", prefix + text)) in {400, 404}


@given(
    gateways,
    st.sampled_from(ROUTES),
    texts | st.text(alphabet="t=v1,0af9 ", max_size=80) | st.integers(0, 77),
)
def test_malformed_or_truncated_signature_is_refused(gateway, route, sent):
    method, path = route
    if isinstance(sent, int):
        request = SignedRequest(method=method, path=path.format(ORDER))
        sent = sign_request(request, key=Secret(KEY), at=START)[:sent]
    event = build_event(gateway, method, path.format(ORDER), headers={SIGNATURE: sent})
    assert check_refused(signed_functions(), event) in {400, 401}


@given(gateways, st.sampled_from(WITH_BODY), bad_bodies)
def test_body_that_violates_the_schema_is_refused(gateway, route, body):
    method, path = route
    event = build_event(gateway, method, path.format(ORDER), body=body, in_base64=True)
    assert refused(event) in {400, 413}


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("name", NO_JSON | LONG)
def test_malformed_and_long_bodies_are_refused(gateway, name):
    body = (NO_JSON | LONG)[name]
    event = build_event(
        gateway, "PUT", f"/v1/orders/{ORDER}", body=body, in_base64=True
    )
    assert refused(event) == (413 if name in LONG else 400)


@given(gateways, control_values, st.booleans())
def test_header_with_a_control_character_is_refused(gateway, text, in_name):
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
def test_url_of_more_than_16_kib_is_refused(gateway, place):
    long = "&".join(f"{CANARY}{number}=1" for number in range(1_000))
    path, query = ("/v1/health", long) if place == "query" else (f"/v1/{long}", "")
    event = build_event(gateway, "GET", path, query=query)
    assert refused(event) == 414


@given(gateways, odd_headers)
def test_odd_headers_are_ignored_or_refused(gateway, headers):
    """The service reads `Prefer` and `traceparent`, and never repeats a wrong value."""
    event = build_event(gateway, "POST", "/v1/orders/odd1/collection", headers=headers)
    called = changed_functions().call("orders_api", event)
    assert called.response["statusCode"] in {200, 202, 400}
    assert_no_leaks(called, CANARY)


def test_preference_inside_unclosed_quotes_is_ignored():
    """Each quote is searched once: an earlier parser took quadratic time."""
    headers = {"Prefer": '"' + '\\"' * 4_000 + ", respond-async"}
    event = build_event(
        "scf_url", "POST", "/v1/orders/odd2/collection", headers=headers
    )
    called = changed_functions().call("orders_api", event)
    assert "Preference-Applied" not in called.response["headers"]


@given(broken_events(HTTP_SAMPLES))
def test_event_with_missing_members_gets_a_response_below_500(event):
    """A query or header may be missing; a missing vital member is a 4xx."""
    called = changed_functions().call("orders_api", event)
    assert called.response["statusCode"] < 500
    assert_no_leaks(called, CANARY)


@given(json_values)
@example({})
@example([])
@example({"Records": []})
def test_any_value_as_event_is_refused(event):
    assert refused(event) == 400


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize(
    "member", ["body", "headers", "path", "httpMethod", "rawPath", "requestContext"]
)
def test_deeply_nested_member_is_refused_or_ignored(gateway, member):
    event = build_event(gateway, "GET", "/v1/absent") | {member: deep(50_000)}
    assert refused(event) in {400, 404}
