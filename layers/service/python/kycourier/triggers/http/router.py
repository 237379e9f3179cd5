"""Routes by method and path, with Powertools' resolver.

The resolver only sees our own words: a path segment that is no word of a route is
replaced by its position. So its patterns, which accept `%`, spaces and a trailing
newline, decide nothing, and its debug log cannot repeat what was sent. Each request
gets a resolver of its own, because a resolver keeps its event where other threads see
it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kycourier.triggers.http.event import ApiResponse, HttpRequest, build_v2_event
from kycourier.triggers.http.problems import build_problem

_METHODS = ("GET", "PUT", "POST")
_OTHER = "OTHER"
_MEMBERS = ("statusCode", "headers", "body", "isBase64Encoded")

Handler = Callable[..., ApiResponse]
Routes = Mapping[str, Mapping[str, Handler]]


class HttpRouter:
    """Routes requests by a table: rule → method → handler."""

    def __init__(self) -> None:
        """Imports Powertools, at the function's start: it takes 80 ms."""
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
        routes: Routes,
        *,
        explain: Callable[[Exception], ApiResponse],
    ) -> dict[str, object]:
        """Calls the request's handler; HEAD is routed as GET.

        Args:
            request: The request.
            routes: The handlers; each gets the path's parameters by name.
            explain: Builds the response for what a handler raises.

        Returns:
            The response in v2 form.
        """
        resolver = self._resolver_class(debug=False)
        resolver.not_found(
            lambda _: self._build_response(build_problem("unknown_path"))
        )
        resolver.exception_handler(Exception)(
            lambda error: self._build_response(explain(error))
        )
        words = {word for rule in routes for word in rule.split("/")}
        segments = {f"_{at}": part for at, part in enumerate(request.path.split("/"))}
        for rule, by_method in routes.items():
            refuse = _refusal(by_method)
            for method in (*_METHODS, _OTHER):
                handler = by_method.get(method, refuse)
                resolver.route(rule, method)(self._adapt(handler, segments))
        method = "GET" if request.method == "HEAD" else request.method
        event = build_v2_event(
            method if method in _METHODS else _OTHER,
            "/".join(part if part in words else at for at, part in segments.items()),
        )
        resolver.current_event = self._event_class(event)  # before the class's own one
        response = resolver.resolve(event, None)  # type: ignore[arg-type] # not read
        return {name: response[name] for name in _MEMBERS}

    def _adapt(
        self, handler: Handler, segments: Mapping[str, str]
    ) -> Callable[..., Any]:
        """Passes the handler its parameters as they were sent."""

        def call(**named: str) -> object:
            sent = {name: segments.get(at, at) for name, at in named.items()}
            return self._build_response(handler(**sent))

        return call

    def _build_response(self, response: ApiResponse) -> Any:  # noqa: ANN401 - Powertools' own
        return self._response_class(
            status_code=response.status,
            headers=response.headers,
            body=response.body,
        )


def _refusal(by_method: Mapping[str, Handler]) -> Handler:
    methods = ["GET", "HEAD"] if "GET" in by_method else []
    allowed = ", ".join(dict.fromkeys([*methods, *by_method]))

    def refuse(**_: str) -> ApiResponse:
        return build_problem("method_not_allowed", allow=allowed)

    return refuse
