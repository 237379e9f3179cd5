"""Calls the API of an in-memory app; checks each response against OpenAPI."""

import json
from collections.abc import Mapping

from kycourier.core.errors import ApiProblemError
from kycourier.ports import SecretSource
from kycourier.triggers.http.event import parse_event
from support.openapi_check import check_response
from support.rigs.in_memory import InMemoryApp
from support.sample_events import function_url_event


class ApiResponse:
    """A response; `members` is its JSON body, None without a body."""

    def __init__(
        self, response: dict[str, object], members: Mapping[str, object] | None
    ) -> None:
        self.raw, self.members = response, members
        self.status: int = response["statusCode"]
        self.headers: dict[str, str] = response["headers"]

    @property
    def code(self) -> str:
        """The problem's code."""
        return self.members["code"]


class ApiClient:
    """The API of one worker of an in-memory app."""

    def __init__(
        self,
        app: InMemoryApp,
        *,
        keys: SecretSource | None = None,
        **changes: object,
    ) -> None:
        self.app = app
        self.api = app.worker().orders_api(api_keys=keys, **changes)

    def send(self, event: object, *, seconds: float = 60) -> ApiResponse:
        """Call the API with an event and check the response."""
        response = self.api.handle(event, self.app.time(seconds))
        try:
            request = parse_event(event)
            method, path = request.method, request.path
        except ApiProblemError:
            method, path = "GET", "/unreadable"
        return ApiResponse(response, check_response(method, path, response))

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        query: str = "",
        seconds: float = 60,
    ) -> ApiResponse:
        """Call the API through a function URL; a body other than text becomes JSON."""
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        event = function_url_event(
            method, path, body=text, headers=headers, query=query
        )
        return self.send(event, seconds=seconds)

    def refusals(self) -> list[tuple[object, object]]:
        """Return outcome and problem of each logged refusal."""
        return [
            (fields["outcome"], fields["problem"])
            for name, fields in self.app.event_log.entries
            if name == "request_refused"
        ]
