"""Whatever is sent: a 4xx, no failure noted, and nothing of it in the answer."""

import base64
import json
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api_caller import ApiCaller, sample, v2_event
from kycourier.core.errors import BadRequest
from kycourier.core.message import parse_order_no
from worlds import SecretInMemory, World

CANARY = "canary7c1f"
ORDER = "bankcardPic5923ab9a3bc34488b51"
ROUTES = [
    ("PUT", "/v1/orders/{}"),
    ("GET", "/v1/orders/{}"),
    ("POST", "/v1/orders/{}/collection"),
    ("GET", "/v1/orders/{}/photos/original"),
]
TEXT = st.text(max_size=40) | st.text(
    alphabet="aZ09 \n\r\x00\x7f/.%2e\\\u202e\u0661\uff11\ud800-_~\"'<>", max_size=40
)


@cache
def api():
    return ApiCaller(World())


@cache
def locked_api():
    return ApiCaller(World(), keys=SecretInMemory("a-key-of-a-test"))


def refused(caller, event):
    """Send it; give the status, after making sure that all of it is a refusal."""
    caller.world.journal.notes.clear()
    answer = caller.send(event)
    assert 400 <= answer.status < 500, answer.response
    assert "handler_failed" not in caller.world.facts()
    assert CANARY not in json.dumps(answer.response)
    assert CANARY not in json.dumps(caller.world.journal.notes)
    assert caller.world.state.orders.rows == {}
    return answer.status


def is_order_no(text):
    try:
        parse_order_no(text)
    except BadRequest:
        return False
    return True


@given(st.sampled_from(ROUTES), TEXT, st.sampled_from(["", f"{CANARY}-"]))
@example(ROUTES[0], "a" * 10_000, "")
@example(ROUTES[0], "\n", "")
@example(ROUTES[1], "../" * 20, "")
@example(ROUTES[2], "%2e%2e%2f", f"{CANARY}-")
@example(ROUTES[3], "\x00", f"{CANARY}-")
def test_a_malformed_order_number_is_refused(route, text, before):
    method, path = route
    number = before + text
    if is_order_no(number):
        number += "-"
    refused(api(), v2_event(method, path.format(number)))


@given(TEXT)
def test_an_unknown_photo_kind_is_refused(kind):
    path = f"/v1/orders/{ORDER}/photos/{CANARY}{kind}"
    assert refused(api(), v2_event("GET", path)) in {400, 404}


@given(TEXT, st.sampled_from(["GET", "PUT", "POST", "HEAD", "PATCH", "TRACE"]))
def test_an_unknown_path_is_refused(path, method):
    assert refused(api(), v2_event(method, f"/{CANARY}/{path}")) in {400, 404}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)
NO_OBJECT = JSON.filter(lambda value: not isinstance(value, dict))
WRONG = st.fixed_dictionaries({CANARY: JSON}) | st.fixed_dictionaries(
    {"document": JSON.filter(lambda value: value != "bank_card")}
)


@given(st.sampled_from([ROUTES[0], ROUTES[2]]), NO_OBJECT | WRONG)
def test_a_body_of_wrong_types_or_with_more_members_is_refused(route, body):
    method, path = route
    event = v2_event(method, path.format(ORDER), body=json.dumps(body))
    assert refused(api(), event) == 400


RAW = [
    b"\xef\xbb\xbf{}",
    '{"document":"bank_card"}'.encode("utf-16"),
    f'{{"{CANARY}":1,"{CANARY}":2}}'.encode(),
    b'{"reopen":NaN}',
    b'{"reopen":-Infinity}',
    b'{"reopen":' + b"9" * 5000 + b"}",
    b"[" * 16_000,
    b'{"a":' * 3000,
    b'{"app_id":"\\ud800"}',
    b'{"document":"\xff\xfe"}',
    b"{} {}",
    b"null",
    b" ",
    b'{"document":"bank_card"',
]


@pytest.mark.parametrize("route", [ROUTES[0], ROUTES[2]])
@pytest.mark.parametrize("body", RAW, ids=lambda body: ascii(body[:20]))
def test_bytes_that_are_no_plain_json_are_refused(route, body):
    method, path = route
    text = base64.b64encode(body).decode()
    event = v2_event(method, path.format(ORDER), body=text)
    assert refused(api(), event | {"isBase64Encoded": True}) == 400


@pytest.mark.parametrize("size", [16_385, 200_000, 10_000_000])
def test_a_long_body_is_refused_unread(size):
    body = CANARY + "[" * size
    assert refused(api(), v2_event("PUT", f"/v1/orders/{ORDER}", body=body)) == 413


@given(st.binary(max_size=60))
def test_any_bytes_as_a_body_are_refused(body):
    text = base64.b64encode(body + b"!").decode()
    event = v2_event("PUT", f"/v1/orders/{ORDER}", body=text)
    assert refused(api(), event | {"isBase64Encoded": True}) == 400


@given(
    st.text(max_size=20), st.sampled_from("\r\n\x00\x0b\x1f\x7f"), st.text(max_size=9)
)
def test_a_header_with_a_control_character_is_refused(before, control, after):
    value = f"{CANARY}{before}{control}{after}"
    event = v2_event("GET", "/v1/health", headers={"x-note": value})
    assert refused(api(), event) == 400


def test_headers_of_more_than_16_kib_are_refused():
    event = v2_event("GET", "/v1/health", headers={CANARY: "a" * 16_384})
    assert refused(api(), event) == 431


@given(st.text(max_size=80) | st.text(alphabet="t=v1,0af9 ", max_size=80))
def test_a_signature_that_is_none_is_refused(sent):
    headers = {"x-kycourier-signature": sent}
    status = refused(locked_api(), v2_event("GET", "/v1/health", headers=headers))
    assert status in {400, 401}


@given(st.sampled_from(ROUTES), TEXT)
def test_who_has_not_signed_learns_nothing(route, text):
    method, path = route
    event = v2_event(method, path.format(text), body=f'{{"{CANARY}":1}}')
    assert refused(locked_api(), event) in {400, 401}


@given(
    st.sampled_from(["aws_http_api_v2", "aws_rest_api_v1", "scf_function_url"]),
    st.data(),
)
def test_an_event_that_lacks_something_or_holds_something_else_is_refused(name, data):
    event = sample(name)
    vital = {
        "aws_http_api_v2": ["requestContext", "rawPath"],
        "aws_rest_api_v1": ["httpMethod", "path"],
        "scf_function_url": ["httpMethod", "path"],
    }[name]
    member = data.draw(st.sampled_from(vital))
    if data.draw(st.booleans()):
        del event[member]
    else:
        event[member] = data.draw(JSON.map(lambda value: [CANARY, value]))
    assert refused(api(), event) in {400, 404}


@given(JSON)
@example({})
@example([])
@example({"Records": []})
def test_any_value_for_an_event_is_refused(event):
    assert refused(api(), event) == 400
