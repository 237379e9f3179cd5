"""Parsing HTTP events of every gateway, and rejecting malformed ones."""

import base64
import copy
import json

import pytest

from kycourier.core.errors import ApiProblemError
from kycourier.triggers.http.event import (
    ApiResponse,
    build_response,
    build_v2_event,
    parse_event,
)
from support.sample_events import HTTP_SAMPLES, OTHER_SAMPLES, sample_event

ORDER = "/v1/orders/bankcardPic5923ab9a3bc34488b51"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
USER_AGENT = ("user-agent", ("partner-backend/1.4",))
TRACED = ("traceparent", (TRACE,))
REGISTER, REOPEN = b'{"document":"bank_card"}', b'{"reopen":false}'
NOT_TEXT = [None, 5, [], b"PUT", "\ud800"]
PARSED = {
    "aws_http_api_v2": (
        *("PUT", ORDER, "trace=on&note=a%20b&note=c", REGISTER),
        TRACED,
    ),
    "aws_rest_api_v1": (
        *("POST", f"{ORDER}/collection", "note=a%20b&note=c", REOPEN),
        ("prefer", ("respond-async", "wait=10")),
    ),
    "aws_function_url": ("GET", "/v1/health", "", b"", USER_AGENT),
    "aws_function_url_base64": (
        *("POST", f"{ORDER}/collection", "note=a%20b&note=c", REOPEN),
        ("prefer", ("respond-async,wait=10",)),
    ),
    "scf_function_url": ("PUT", ORDER, "note=a%20b&trace=on", REGISTER, TRACED),
    "scf_function_url_no_body": ("GET", "/v1/health", "", b"", USER_AGENT),
}


def problem_of(event):
    with pytest.raises(ApiProblemError) as caught:
        parse_event(event)
    assert caught.value.__context__ is None
    assert str(caught.value) == f"bad_request: {caught.value.problem}"
    return caught.value.problem


@pytest.mark.parametrize("name", HTTP_SAMPLES)
def test_event_is_parsed_without_stage_and_base_path(name):
    event = sample_event(name)
    before = copy.deepcopy(event)
    request = parse_event(event)
    assert event == before
    method, path, query, body, (header, values) = PARSED[name]
    assert (request.method, request.path) == (method, path)
    assert (request.query, request.body) == (query, body)
    assert request.values(header) == values
    assert request.has_context is not name.startswith("scf_")


@pytest.mark.parametrize("context", [None, {}, "", 0])
def test_empty_context_is_absent(context):
    event = sample_event("aws_rest_api_v1") | {"requestContext": context}
    assert not parse_event(event).has_context


@pytest.mark.parametrize(
    ("path", "stage", "read"),
    [
        ("/v1/health", "$default", "/v1/health"),
        ("/prod/v1/health", "prod", "/v1/health"),
        ("/v1/v1/health", "v1", "/v1/health"),
        ("/api/v1/kyc/v1/orders/A1", "$default", "/v1/orders/A1"),
        ("/v1/v1/orders/A1/collection", "$default", "/v1/orders/A1/collection"),
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


@pytest.mark.parametrize("path", ["/v1/orders/a%2Fb", "/v1/orders/%e5%8d%a1"])
def test_scf_path_is_not_decoded(path):
    event = sample_event("scf_function_url") | {"httpMethod": "PATCH", "path": path}
    request = parse_event(event)
    assert (request.method, request.path) == ("PATCH", path)


def test_scf_query_may_be_text():
    event = sample_event("scf_function_url") | {"queryString": "note=a%20b&trace=on"}
    assert parse_event(event).query == "note=a%20b&trace=on"


def test_header_names_are_lowered_and_repeats_kept():
    event = sample_event("aws_function_url")
    event["headers"] = {"X-One": " a\t", "x-one": "b", "X-Two": ["c", "d"]}
    request = parse_event(event)
    assert request.values("x-one") == ("a", "b")
    assert request.values("x-two") == ("c", "d")
    assert request.values("x-three") == ()


@pytest.mark.parametrize("name", ["headers", "multiValueHeaders"])
def test_event_may_lack_headers_and_body(name):
    lacking = {"headers": None, "multiValueHeaders": None, "body": None}
    event = sample_event("aws_rest_api_v1") | lacking
    assert parse_event(event).values("prefer") == ()
    assert parse_event(event).body == b""
    event[name] = {"Prefer": ["wait=1"]}
    assert parse_event(event).values("prefer") == ("wait=1",)


def test_request_repr_hides_headers():
    event = sample_event("aws_function_url")
    event["headers"]["x-kycourier-signature"] = "t=1,v1=canary"
    assert "canary" not in repr(parse_event(event))


@pytest.mark.parametrize("event", [None, 5, "{}", [], {}, {"Records": []}])
def test_other_values_are_a_bad_request(event):
    assert problem_of(event) == "bad_request"


@pytest.mark.parametrize("name", OTHER_SAMPLES)
def test_event_of_another_trigger_is_a_bad_request(name):
    assert problem_of(sample_event(name)) == "bad_request"


MALFORMED = [
    *(("aws_rest_api_v1", "httpMethod", value) for value in NOT_TEXT),
    *(("aws_rest_api_v1", "path", value) for value in NOT_TEXT),
    *(("aws_http_api_v2", "rawPath", value) for value in NOT_TEXT),
    *(("aws_http_api_v2", "rawQueryString", value) for value in NOT_TEXT),
    *(("aws_http_api_v2", "requestContext", value) for value in NOT_TEXT),
    *(("scf_function_url", "body", value) for value in [5, True, ["a"], "\ud800"]),
    *(
        ("aws_http_api_v2", "isBase64Encoded", value)
        for value in [None, 0, 1, "true", []]
    ),
    *(
        ("scf_function_url", "httpMethod", value)
        for value in ["", "get", "GET\n", "G T", "\uff27ET", "A" * 17]
    ),
]


@pytest.mark.parametrize(("name", "member", "value"), MALFORMED, ids=ascii)
def test_malformed_member_is_a_bad_request(name, member, value):
    assert problem_of(sample_event(name) | {member: value}) == "bad_request"


@pytest.mark.parametrize("value", NOT_TEXT, ids=ascii)
def test_v2_method_must_be_text(value):
    event = sample_event("aws_http_api_v2")
    event["requestContext"]["http"]["method"] = value
    assert problem_of(event) == "bad_request"


@pytest.mark.parametrize("name", HTTP_SAMPLES)
@pytest.mark.parametrize("value", [5, "a: b", ["a"], {"a": 5}, {"a": [None]}, {5: "a"}])
def test_headers_must_be_a_mapping_of_text(name, value):
    event = sample_event(name) | {"headers": value, "multiValueHeaders": None}
    assert problem_of(event) == "bad_request"


def test_headers_are_limited_to_16_kib():
    largest = {"a": "b" * (16 * 1024 - 1)}
    event = sample_event("scf_function_url") | {"headers": largest}
    assert parse_event(event).values("a") == ("b" * (16 * 1024 - 1),)
    event["headers"] = largest | {"c": ""}
    assert problem_of(event) == "headers_too_large"


@pytest.mark.parametrize(
    "text",
    ["e30", "e30==", "e30=\n", "e3 0=", "e31=", "e30=e30=", "-_-_", "é30=", "="],
)
def test_base64_is_decoded_strictly(text):
    event = sample_event("aws_function_url_base64")
    assert parse_event(event | {"body": "eyJ9"}).body == b'{"}'
    assert problem_of(event | {"body": text}) == "bad_request"


@pytest.mark.parametrize("is_base64", [True, False])
def test_body_is_limited_to_16_kib(is_base64):
    def event(text):
        body = base64.b64encode(text.encode()).decode() if is_base64 else text
        changes = {"body": body, "isBase64Encoded": is_base64}
        return sample_event("scf_function_url") | changes

    assert len(parse_event(event("a" * 16 * 1024)).body) == 16 * 1024
    for text in ("a" * (16 * 1024 + 1), "a" * 10 * 1024 * 1024, "é" * (8 * 1024 + 1)):
        assert problem_of(event(text)) == "body_too_large"


def test_response_suits_v2_and_rest_v1():
    response = build_response(
        ApiResponse(status=202, headers={"Retry-After": "1"}, body="{}")
    )
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
