"""Powertools' resolver in its cage."""

import pytest
from aws_lambda_powertools.event_handler.api_gateway import (
    ApiGatewayResolver,
    BaseRouter,
)
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from kycourier.adapters.triggers.http_event import (
    Answer,
    Headers,
    HttpRequest,
    build_v2_event,
)
from kycourier.adapters.triggers.http_router import HttpRouter


def say(word):
    def story(**named):
        return Answer(status=200, headers={}, body=word + repr(sorted(named.items())))

    return story


def fail(**_):
    raise ValueError


STORIES = {
    "/v1/things": {"GET": say("all")},
    "/v1/things/<name>": {"GET": say("one"), "PUT": say("put"), "POST": fail},
    "/v1/things/<name>/parts/<part>": {"GET": say("part")},
}


def route(method, path):
    request = HttpRequest(
        method=method, path=path, query="", headers=Headers({}), body=b""
    )
    response = HttpRouter().route(
        request,
        STORIES,
        explain=lambda error: Answer(status=500, headers={}, body=type(error).__name__),
    )
    return response["statusCode"], response["body"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/things", "all[]"),
        ("GET", "/v1/things/a", "one[('name', 'a')]"),
        ("PUT", "/v1/things/a", "put[('name', 'a')]"),
        ("GET", "/v1/things/things", "one[('name', 'things')]"),
        ("GET", "/v1/things/_3", "one[('name', '_3')]"),
        ("GET", "/v1/things/_4/parts/_3", "part[('name', '_4'), ('part', '_3')]"),
        ("GET", "/v1/things/parts/parts/v1", "part[('name', 'parts'), ('part', 'v1')]"),
        ("GET", "/v1/things/a b%20\n", "one[('name', 'a b%20\\n')]"),
        ("GET", '/v1/things/é"\\', "one[('name', 'é\"\\\\')]"),
        ("GET", "/v1/things/<name>", "one[('name', '<name>')]"),
    ],
)
def test_a_story_is_given_the_parameters_as_they_were_sent(method, path, body):
    assert route(method, path) == (200, body)


@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v1/things\n", "/v1/things/", "v1/things"]
)
def test_an_unknown_path_is_404(path):
    assert route("GET", path)[0] == 404


def test_what_a_story_raises_is_explained():
    assert route("POST", "/v1/things/a") == (500, "ValueError")


def test_debug_output_stays_off_whatever_the_environment_says(monkeypatch, capsys):
    monkeypatch.setenv("POWERTOOLS_DEV", "true")
    assert route("POST", "/v1/things/a") == (500, "ValueError")
    assert capsys.readouterr().out == ""


def test_an_event_that_another_thread_began_meanwhile_changes_nothing(monkeypatch):
    plain = ApiGatewayResolver._resolve

    def interrupted(resolver):
        other = build_v2_event("GET", "/v1/things")
        BaseRouter.current_event = APIGatewayProxyEventV2(other)
        return plain(resolver)

    monkeypatch.setattr(ApiGatewayResolver, "_resolve", interrupted)
    assert route("GET", "/v1/things/a") == (200, "one[('name', 'a')]")
