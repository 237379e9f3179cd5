"""HttpRouter isolates Powertools' resolver from environment and other threads."""

import pytest
from aws_lambda_powertools.event_handler.api_gateway import (
    ApiGatewayResolver,
    BaseRouter,
)
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from kycourier.triggers.http.event import (
    ApiResponse,
    Headers,
    HttpRequest,
    build_v2_event,
)
from kycourier.triggers.http.router import HttpRouter


def respond(word):
    def handle(**named):
        return ApiResponse(
            status=200, headers={}, body=word + repr(sorted(named.items()))
        )

    return handle


def fail(**_):
    raise ValueError


HANDLERS = {
    "/v1/things": {"GET": respond("all")},
    "/v1/things/<name>": {"GET": respond("one"), "PUT": respond("put"), "POST": fail},
    "/v1/things/<name>/parts/<part>": {"GET": respond("part")},
}


def route(method, path):
    request = HttpRequest(
        method=method, path=path, query="", headers=Headers({}), body=b""
    )
    response = HttpRouter().route(
        request,
        HANDLERS,
        explain=lambda error: ApiResponse(
            status=500, headers={}, body=type(error).__name__
        ),
    )
    return response["statusCode"], response["body"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/things", "all[]"),
        ("GET", "/v1/things/a", "one[('name', 'a')]"),
        ("PUT", "/v1/things/a", "put[('name', 'a')]"),
        ("GET", "/v1/things/things", "one[('name', 'things')]"),
        ("GET", "/v1/things/_4/parts/_3", "part[('name', '_4'), ('part', '_3')]"),
        ("GET", "/v1/things/a b%20\n", "one[('name', 'a b%20\\n')]"),
        ("GET", '/v1/things/é"\\', "one[('name', 'é\"\\\\')]"),
        ("GET", "/v1/things/<name>", "one[('name', '<name>')]"),
    ],
)
def test_handler_receives_path_parameters_undecoded(method, path, body):
    assert route(method, path) == (200, body)


def test_unknown_path_is_404():
    assert route("GET", "/v1/things/")[0] == 404


def test_handler_error_is_explained_without_debug_output(monkeypatch, capsys):
    monkeypatch.setenv("POWERTOOLS_DEV", "true")
    assert route("POST", "/v1/things/a") == (500, "ValueError")
    assert capsys.readouterr().out == ""


def test_concurrent_event_of_another_thread_has_no_effect(monkeypatch):
    plain = ApiGatewayResolver._resolve

    def interrupted(resolver):
        other = build_v2_event("GET", "/v1/things")
        BaseRouter.current_event = APIGatewayProxyEventV2(other)
        return plain(resolver)

    monkeypatch.setattr(ApiGatewayResolver, "_resolve", interrupted)
    assert route("GET", "/v1/things/a") == (200, "one[('name', 'a')]")
