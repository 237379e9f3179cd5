"""Calls the API over a world in memory, and holds every answer to its description."""

import json
from collections.abc import Mapping
from pathlib import Path

from kycourier.adapters.triggers.http_event import parse_event
from kycourier.adapters.triggers.orders_api import OrdersApi
from kycourier.core.errors import BadRequest
from kycourier.ports import SecretSource
from openapi_check import check_answer
from worlds import APP, URI, World

EVENTS = Path(__file__).parent / "events"


def sample(name: str) -> dict[str, object]:
    """Read a whole event as a cloud sends it."""
    event: dict[str, object] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return event


def v2_event(
    method: str,
    path: str,
    *,
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
    query: str = "",
) -> dict[str, object]:
    """Make a Lambda function URL's event."""
    event = sample("aws_function_url")
    event |= {"rawPath": path, "rawQueryString": query}
    event["requestContext"]["http"] |= {"method": method, "path": path}
    event["headers"] |= headers or {}
    return event | ({} if body is None else {"body": body})


class Answered:
    """One answer: `members` is its JSON body, None when it has none."""

    def __init__(
        self, response: dict[str, object], members: Mapping[str, object] | None
    ) -> None:
        self.response, self.members = response, members
        self.status: int = response["statusCode"]
        self.headers: dict[str, str] = response["headers"]

    @property
    def code(self) -> str:
        """The problem's code."""
        return self.members["code"]


class ApiCaller:
    """The API of one worker of a world."""

    def __init__(
        self,
        world: World,
        *,
        keys: SecretSource | None = None,
        **changes: object,
    ) -> None:
        worker = world.worker()
        self.world = world
        parts = {
            "api_keys": keys,
            "evidence_uri": URI,
            "register": worker.register,
            "collector": worker.collector,
            "brake": worker.brake,
            "evidence": world.evidence,
            "queue": world.queue,
            "state": world.state,
            "ambient": worker.ambient,
        }
        self.api = OrdersApi(APP, **(parts | changes))

    def send(self, event: object, *, seconds: float = 60) -> Answered:
        """Answer an event; what cannot be read is checked as a problem anywhere."""
        response = self.api.answer(event, self.world.time(seconds))
        try:
            request = parse_event(event)
            method, path = request.method, request.path
        except BadRequest:
            method, path = "GET", "/unreadable"
        return Answered(response, check_answer(method, path, response))

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 60,
    ) -> Answered:
        """Send a function URL's event; a body that is no text is sent as JSON."""
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        event = v2_event(method, path, body=text, headers=headers)
        return self.send(event, seconds=seconds)

    def refusals(self) -> list[tuple[object, object]]:
        """Give outcome and problem of the refusals noted so far."""
        return [
            (fields["outcome"], fields["problem"])
            for fact, fields in self.world.journal.notes
            if fact == "request_refused"
        ]
