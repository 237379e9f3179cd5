"""With API keys, only a request with its own fresh signature is accepted."""

from datetime import timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bad_input.functions import Functions, check_refused
from bad_input.http_events import GATEWAYS, ROUTES, build_event, gateways
from bad_input.strategies import ORDER, SIGNATURE, texts
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import SignedRequest, sign_request
from support.rigs.in_memory import MutableSecret

PATH = f"/v1/orders/{ORDER}"
KEY = "a-key-of-a-test"


@cache
def unchanged_functions():
    return Functions(api_keys=MutableSecret(KEY))


def sign(*, key=KEY, late=0, **changes):
    """Sign the request of these tests, with some parts changed."""
    now = unchanged_functions().app.clock.now() + timedelta(seconds=late)
    request = {"method": "PUT", "path": PATH, "query": "", "body": b"{}"}
    return sign_request(SignedRequest(**(request | changes)), key=Secret(key), at=now)


def refused(gateway, headers):
    """Send the request with these headers; returns the status of its refusal."""
    event = build_event(
        gateway, "PUT", PATH, headers=headers, body=b"{}", in_base64=True
    )
    return check_refused(unchanged_functions(), event, method="PUT", path=PATH)


@given(gateways, texts | st.text(alphabet="t=v1,0af9 ", max_size=80))
def test_malformed_signature_is_refused(gateway, text):
    assert refused(gateway, {SIGNATURE: text}) in {400, 401}


@given(gateways, st.integers(0, 78))
def test_signature_truncated_anywhere_is_refused(gateway, end):
    assert refused(gateway, {SIGNATURE: sign()[:end]}) in {400, 401}


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize(
    "changes",
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
def test_signature_of_another_request_key_or_time_is_refused(gateway, changes):
    assert refused(gateway, {SIGNATURE: sign(**changes)}) == 401


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_missing_repeated_and_long_signatures_are_refused(gateway):
    good = sign()
    for headers in (
        {},
        {SIGNATURE: good, SIGNATURE.upper(): good},
        {SIGNATURE: f"{good},{good}"},
        {SIGNATURE: "t=1," * 4_000},
    ):
        assert refused(gateway, headers) == 401


def test_valid_signature_is_accepted():
    """Each refusal in this module has its one cause."""
    functions = Functions(api_keys=MutableSecret(KEY))
    event = build_event("http_v2", "PUT", PATH, headers={SIGNATURE: sign()}, body=b"{}")
    assert functions.call("orders_api", event).response["statusCode"] == 201


@given(gateways, st.sampled_from(ROUTES), texts)
def test_unsigned_request_to_any_route_is_refused(gateway, route, text):
    method, path = route
    event = build_event(gateway, method, path.format(text), body=b"{}")
    assert check_refused(unchanged_functions(), event) in {400, 401}
