"""Parsing HTTP events of every gateway, and rejecting malformed ones."""

import base64
import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.errors import ApiProblemError
from kycourier.triggers.http.event import (
    ApiResponse,
    HttpRequest,
    build_response,
    build_v2_event,
    parse_event,
)
from support.sample_events import sample_event

ORDER = "/v1/orders/bankcardPic5923ab9a3bc34488b51"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HTTP_SAMPLES = [
    "aws_http_api_v2",
    "aws_rest_api_v1",
    "aws_function_url",
    "aws_function_url_base64",
    "scf_function_url",
    "scf_function_url_no_body",
]
NOT_TEXT = [None, 5, True, 1.5, [], {}, b"PUT", "\ud800"]


def problem_of(event):
    with pytest.raises(ApiProblemError) as caught:
        parse_event(event)
    assert caught.value.__context__ is None
    assert str(caught.value) == f"bad_request: {caught.value.problem}"
    return caught.value.problem


def test_http_api_event_is_parsed_without_its_stage():
    request = parse_event(sample_event("aws_http_api_v2"))
    assert (request.method, request.path) == ("PUT", ORDER)
    assert request.query == "trace=on&note=a%20b&note=c"
    assert request.body == b'{"document":"bank_card"}'
    assert request.values("traceparent") == (TRACE,)


def test_rest_api_event_is_parsed_without_its_base_path():
    request = parse_event(sample_event("aws_rest_api_v1"))
    assert (request.method, request.path) == ("POST", f"{ORDER}/collection")
    assert request.query == "note=a%20b&note=c"
    assert request.body == b'{"reopen":false}'
    assert request.values("prefer") == ("respond-async", "wait=10")


def test_function_url_event_is_parsed():
    request = parse_event(sample_event("aws_function_url"))
    assert (request.method, request.path) == ("GET", "/v1/health")
    assert (request.query, request.body) == ("", b"")
    assert request.values("user-agent") == ("partner-backend/1.4",)


def test_base64_body_is_decoded():
    request = parse_event(sample_event("aws_function_url_base64"))
    assert (request.method, request.path) == ("POST", f"{ORDER}/collection")
    assert request.body == b'{"reopen":false}'
    assert request.values("prefer") == ("respond-async,wait=10",)


def test_scf_function_url_event_is_parsed():
    request = parse_event(sample_event("scf_function_url"))
    assert (request.method, request.path) == ("PUT", ORDER)
    assert request.query == "note=a%20b&trace=on"
    assert request.body == b'{"document":"bank_card"}'
    assert request.values("traceparent") == (TRACE,)


def test_scf_event_without_body_and_query_is_parsed():
    request = parse_event(sample_event("scf_function_url_no_body"))
    assert (request.method, request.path) == ("GET", "/v1/health")
    assert (request.query, request.body) == ("", b"")
    assert request.values("user-agent") == ("partner-backend/1.4",)


@pytest.mark.parametrize("name", HTTP_SAMPLES)
def test_only_scf_function_urls_lack_a_context(name):
    assert parse_event(sample_event(name)).has_context is not name.startswith("scf_")


@pytest.mark.parametrize("context", [None, {}, "", 0, []])
def test_empty_context_is_absent(context):
    event = sample_event("aws_rest_api_v1") | {"requestContext": context}
    assert not parse_event(event).has_context


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", [ORDER, "/v1/orders/a%2Fb", "/v1/orders/%e5%8d%a1"])
def test_method_and_path_are_parsed_alike_on_both_clouds(method, path):
    """No path is decoded on either cloud."""
    ours = sample_event("scf_function_url") | {"httpMethod": method, "path": path}
    theirs = sample_event("aws_function_url") | {"rawPath": path}
    theirs["requestContext"]["http"]["method"] = method
    read = [parse_event(event) for event in (ours, theirs)]
    assert [(each.method, each.path) for each in read] == [(method, path)] * 2


def test_scf_query_may_be_text():
    event = sample_event("scf_function_url") | {"queryString": "note=a%20b&trace=on"}
    assert parse_event(event).query == "note=a%20b&trace=on"


@pytest.mark.parametrize("name", HTTP_SAMPLES)
def test_parsing_does_not_change_the_event(name):
    event = sample_event(name)
    before = copy.deepcopy(event)
    parse_event(event)
    assert event == before


@pytest.mark.parametrize(
    ("path", "stage", "read"),
    [
        ("/v1/health", "$default", "/v1/health"),
        ("/prod/v1/health", "prod", "/v1/health"),
        ("/v1/v1/health", "v1", "/v1/health"),
        ("/v1/orders/v1", "$default", "/v1/orders/v1"),
        ("/base/path/v1/orders/v1/photos/v1", "prod", "/v1/orders/v1/photos/v1"),
        ("/v1health", "$default", "/v1health"),
        ("/v1", "$default", "/v1"),
        ("/", "$default", "/"),
        ("", "$default", ""),
        ("v1/health", "$default", "/v1/health"),
        ("/v1/orders/a%2Fb", "$default", "/v1/orders/a%2Fb"),
    ],
)
def test_path_starts_at_v1_undecoded(path, stage, read):
    event = sample_event("aws_function_url")
    event["rawPath"], event["requestContext"]["stage"] = path, stage
    assert parse_event(event).path == read


def test_header_names_are_lowered_and_repeats_kept():
    event = sample_event("aws_function_url")
    event["headers"] = {"X-One": " a\t", "x-one": "b", "X-Two": ["c", "d"]}
    request = parse_event(event)
    assert request.values("x-one") == ("a", "b")
    assert request.values("x-two") == ("c", "d")
    assert request.values("x-three") == ()


@pytest.mark.parametrize("name", ["headers", "multiValueHeaders"])
def test_event_may_lack_headers(name):
    event = sample_event("aws_rest_api_v1") | {
        "headers": None,
        "multiValueHeaders": None,
    }
    assert parse_event(event).values("prefer") == ()
    event[name] = {"Prefer": ["wait=1"]}
    assert parse_event(event).values("prefer") == ("wait=1",)


@pytest.mark.parametrize("body", [None, ""])
def test_event_may_lack_a_body(body):
    assert parse_event(sample_event("aws_rest_api_v1") | {"body": body}).body == b""


def test_request_repr_hides_headers():
    event = sample_event("aws_function_url")
    event["headers"]["x-kycourier-signature"] = "t=1,v1=canary"
    assert "canary" not in repr(parse_event(event))


@pytest.mark.parametrize("event", [None, 5, "{}", [], b"{}", {}, {"Records": []}])
def test_other_values_are_a_bad_request(event):
    assert problem_of(event) == "bad_request"


@pytest.mark.parametrize(
    "name",
    ["aws_sqs_batch", "aws_eventbridge_scheduled", "scf_ckafka_batch", "scf_timer"],
)
def test_event_of_another_trigger_is_a_bad_request(name):
    assert problem_of(sample_event(name)) == "bad_request"


@pytest.mark.parametrize("value", NOT_TEXT, ids=ascii)
@pytest.mark.parametrize("name", ["httpMethod", "path"])
def test_v1_method_and_path_must_be_text(name, value):
    assert problem_of(sample_event("aws_rest_api_v1") | {name: value}) == "bad_request"


@pytest.mark.parametrize("value", NOT_TEXT, ids=ascii)
@pytest.mark.parametrize("name", ["rawPath", "rawQueryString", "requestContext"])
def test_v2_path_query_and_context_must_be_well_formed(name, value):
    assert problem_of(sample_event("aws_http_api_v2") | {name: value}) == "bad_request"


@pytest.mark.parametrize("value", NOT_TEXT, ids=ascii)
def test_v2_method_must_be_text(value):
    event = sample_event("aws_http_api_v2")
    event["requestContext"]["http"]["method"] = value
    assert problem_of(event) == "bad_request"


@pytest.mark.parametrize("method", ["", "get", "GET\n", "G T", "\uff27ET", "A" * 17])
def test_method_must_be_capitals(method):
    event = sample_event("scf_function_url") | {"httpMethod": method}
    assert problem_of(event) == "bad_request"


@pytest.mark.parametrize("name", HTTP_SAMPLES)
@pytest.mark.parametrize("value", [5, "a: b", ["a"], {"a": 5}, {"a": [None]}, {5: "a"}])
def test_headers_must_be_a_mapping_of_text(name, value):
    event = sample_event(name) | {"headers": value, "multiValueHeaders": None}
    assert problem_of(event) == "bad_request"


@pytest.mark.parametrize(
    "text", ["a\rb", "a\nb", "a\r\nx: y", "a\x00b", "a\x7f", "a\x1b[2J", "a\n"]
)
@pytest.mark.parametrize("part", ["name", "value"])
def test_header_with_control_characters_is_rejected(text, part):
    headers = {text: "b"} if part == "name" else {"b": text}
    event = sample_event("scf_function_url") | {"headers": headers}
    assert problem_of(event) == "bad_headers"


def test_headers_are_limited_to_16_kib():
    largest = {"a": "b" * (16 * 1024 - 1)}
    event = sample_event("scf_function_url") | {"headers": largest}
    assert parse_event(event).values("a") == ("b" * (16 * 1024 - 1),)
    event["headers"] = largest | {"c": ""}
    assert problem_of(event) == "headers_too_large"


@pytest.mark.parametrize("value", [5, True, ["a"], {"a": 1}, b"a", "\ud800"])
def test_body_must_be_text(value):
    assert (
        problem_of(sample_event("scf_function_url") | {"body": value}) == "bad_request"
    )


@pytest.mark.parametrize("value", [None, 0, 1, "true", "", []])
def test_is_base64_encoded_must_be_a_boolean(value):
    event = sample_event("aws_http_api_v2") | {"isBase64Encoded": value}
    assert problem_of(event) == "bad_request"


@pytest.mark.parametrize(
    "text",
    [
        "eyJ9",
        "e30",
        "e30==",
        "e30=\n",
        "e3 0=",
        "e31=",
        "e30=e30=",
        "-_-_",
        "é30=",
        "=",
    ],
)
def test_base64_is_decoded_strictly(text):
    event = sample_event("aws_function_url_base64") | {"body": text}
    if text == "eyJ9":  # canonical Base64 of malformed JSON
        assert parse_event(event).body == b'{"}'
    else:
        assert problem_of(event) == "bad_request"


@pytest.mark.parametrize("is_base64", [True, False])
def test_body_is_limited_to_16_kib(is_base64):
    def event(size):
        body = "a" * size
        if is_base64:
            body = base64.b64encode(body.encode()).decode()
        return sample_event("scf_function_url") | {
            "body": body,
            "isBase64Encoded": is_base64,
        }

    assert len(parse_event(event(16 * 1024)).body) == 16 * 1024
    assert problem_of(event(16 * 1024 + 1)) == "body_too_large"
    assert problem_of(event(10 * 1024 * 1024)) == "body_too_large"


def test_body_is_measured_in_bytes():
    event = sample_event("scf_function_url") | {"body": "é" * (8 * 1024 + 1)}
    assert problem_of(event) == "body_too_large"


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(HTTP_SAMPLES), st.data())
def test_any_member_is_parsed_or_a_bad_request(name, data):
    event = sample_event(name)
    for member in data.draw(st.lists(st.sampled_from(sorted(event)), max_size=3)):
        event[member] = data.draw(ODD)
    for member in data.draw(st.lists(st.sampled_from(sorted(event)), max_size=3)):
        event.pop(member, None)
    try:
        request = parse_event(event)
    except ApiProblemError as error:
        problem = error.problem
    else:
        problem = None
    if problem:
        assert problem in {"bad_request", "bad_headers"}
        return
    assert isinstance(request, HttpRequest)
    assert isinstance(request.body, bytes)
    assert all(isinstance(text, str) for text in (request.path, request.query))


@given(ODD)
def test_any_value_is_a_bad_request(event):
    assert problem_of(event) == "bad_request"


def test_response_suits_v2_and_rest_v1():
    answer = ApiResponse(status=202, headers={"Retry-After": "1"}, body="{}")
    response = build_response(answer)
    assert response == {
        "statusCode": 202,
        "headers": {"Retry-After": "1"},
        "body": "{}",
        "isBase64Encoded": False,
    }
    assert json.loads(json.dumps(response)) == response


def test_event_built_for_the_router_is_parsed_back():
    request = parse_event(build_v2_event("GET", "/v1/health"))
    assert (request.method, request.path) == ("GET", "/v1/health")
