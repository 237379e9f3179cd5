"""Powertools' resolver, kept to what it is good at: method and path → a story.

It sees words of ours alone: a segment of the path that is no word of a route is
replaced by its place. So its patterns, which let `%`, spaces and a last line end
through, decide nothing, and its debug log cannot repeat what was sent. One resolver
serves one request, because a resolver keeps its event where other threads see it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kycourier.adapters.triggers.http_event import Answer, HttpRequest, build_v2_event
from kycourier.adapters.triggers.problems import build_problem

_METHODS = ("GET", "PUT", "POST")
_OTHER = "OTHER"
_MEMBERS = ("statusCode", "headers", "body", "isBase64Encoded")

Story = Callable[..., Answer]
Stories = Mapping[str, Mapping[str, Story]]


class HttpRouter:
    """Routes by a table of stories: rule → method → story."""

    def __init__(self) -> None:
        """Import Powertools now, at the function's start: it takes 80 ms."""
        from aws_lambda_powertools.event_handler import (  # noqa: PLC0415 - only where used
            APIGatewayHttpResolver,
            Response,
        )
        from aws_lambda_powertools.utilities.data_classes import (  # noqa: PLC0415 - the same
            APIGatewayProxyEventV2,
        )

        self._resolver_class, self._response_class = APIGatewayHttpResolver, Response
        self._event_class = APIGatewayProxyEventV2

    def route(
        self,
        request: HttpRequest,
        stories: Stories,
        *,
        explain: Callable[[Exception], Answer],
    ) -> dict[str, object]:
        """Tell the story that the request names; give the response in v2 form.

        A story is given the path's parameters by name; what it raises becomes
        `explain`'s answer.
        """
        resolver = self._resolver_class(debug=False)
        resolver.not_found(
            lambda _: self._build_response(build_problem("unknown_path"))
        )
        resolver.exception_handler(Exception)(
            lambda error: self._build_response(explain(error))
        )
        words = {word for rule in stories for word in rule.split("/")}
        places = {f"_{at}": part for at, part in enumerate(request.path.split("/"))}
        for rule, by_method in stories.items():
            refuse = _refusal(by_method)
            for method in (*_METHODS, _OTHER):
                story = by_method.get(method, refuse)
                resolver.route(rule, method)(self._adapt(story, places))
        event = build_v2_event(
            request.method if request.method in _METHODS else _OTHER,
            "/".join(part if part in words else at for at, part in places.items()),
        )
        resolver.current_event = self._event_class(event)  # before the class's own one
        response = resolver.resolve(event, None)  # type: ignore[arg-type] # not read
        return {name: response[name] for name in _MEMBERS}

    def _adapt(self, story: Story, places: Mapping[str, str]) -> Callable[..., Any]:
        """Give the story its parameters back as they were sent."""

        def tell(**named: str) -> object:
            sent = {name: places.get(at, at) for name, at in named.items()}
            return self._build_response(story(**sent))

        return tell

    def _build_response(self, answer: Answer) -> Any:  # noqa: ANN401 - Powertools' own
        return self._response_class(
            status_code=answer.status, headers=answer.headers, body=answer.body
        )


def _refusal(by_method: Mapping[str, Story]) -> Story:
    allowed = ", ".join(by_method)

    def refuse(**_: str) -> Answer:
        return build_problem("method_not_allowed", allow=allowed)

    return refuse
