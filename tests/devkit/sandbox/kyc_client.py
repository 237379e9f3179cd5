"""A small client of the platform API: fetches a ticket, signs and queries."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from devkit.sandbox.document_calls import (
    BANK_CARD,
    NONCE,
    DocumentCall,
    HttpRequest,
    query_parameters,
    sign,
)
from kycourier_devkit.sandbox import APP_ID, APP_SECRET, Sandbox

__all__ = ["NONCE", "query_parameters", "sign"]  # for tests of single calls

TOKEN_PATH = "/api/oauth2/access_token"
TICKET_PATH = "/api/oauth2/api_ticket"
RESULT_PATH = BANK_CARD.path
STARTED_AT = 1_700_000_000.0


@dataclass(frozen=True)
class HttpResponse:
    """A response of the sandbox."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def code(self) -> object:
        return self.json["code"]

    @property
    def result(self) -> dict[str, Any]:
        return dict(self.json["result"])


class FakeClock:
    """A clock that only `advance` moves."""

    def __init__(self) -> None:
        self.now = STARTED_AT

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class KycClient:
    """Calls a sandbox; opens a new connection for each request."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def connect(self) -> HTTPConnection:
        return HTTPConnection(str(urlsplit(self._sandbox.url).netloc), timeout=10)

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        connection = self.connect()
        try:
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            received = dict(response.headers)
            return HttpResponse(response.status, received, response.read())
        finally:
            connection.close()

    def get(self, path: str, **parameters: str) -> HttpResponse:
        return self.send("GET", f"{path}?{urlencode(parameters)}")

    def control(self, name: str, **fields: object) -> HttpResponse:
        return self.send("POST", f"/control/{name}", json.dumps(fields).encode())

    def request_token(self, secret: str = APP_SECRET) -> HttpResponse:
        return self.get(TOKEN_PATH, **token_parameters(secret=secret))

    def request_ticket(self, token: str, kind: str = "SIGN") -> HttpResponse:
        return self.get(
            TICKET_PATH, app_id=APP_ID, access_token=token, type=kind, version="1.0.0"
        )

    def token(self) -> str:
        return str(self.request_token().json["access_token"])

    def ticket(self, token: str, kind: str = "SIGN") -> str:
        return str(self.request_ticket(token, kind).json["tickets"][0]["value"])

    def refresh(self, *, app_id_name: str = "app_id") -> str:
        """Return a new ticket; the profile decides how the app id is spelled."""
        app = {app_id_name: APP_ID}
        call = token_parameters()
        del call["app_id"]
        token = str(self.get(TOKEN_PATH, **call, **app).json["access_token"])
        call = {"access_token": token, "type": "SIGN", "version": "1.0.0"}
        return str(self.get(TICKET_PATH, **call, **app).json["tickets"][0]["value"])

    def send_request(self, request: HttpRequest) -> HttpResponse:
        return self.send(request.method, request.target, request.body, request.headers)

    def query(
        self,
        order_no: str,
        *,
        ticket: str,
        get_file: str = "0",
        nonce: str = NONCE,
        document: DocumentCall = BANK_CARD,
    ) -> HttpResponse:
        return self.send_request(
            document.request(order_no, ticket=ticket, get_file=get_file, nonce=nonce)
        )


def token_parameters(secret: str = APP_SECRET) -> dict[str, str]:
    return {
        "app_id": APP_ID,
        "secret": secret,
        "grant_type": "client_credential",
        "version": "1.0.0",
    }


@dataclass(frozen=True)
class SandboxRig:
    """A started sandbox, a client with a ticket, the clock of both, and a document."""

    sandbox: Sandbox
    client: KycClient
    clock: FakeClock
    ticket: str
    document: DocumentCall = BANK_CARD

    def of(self, document: DocumentCall) -> "SandboxRig":
        """Return the rig for queries of a document."""
        return replace(self, document=document)

    def request(self, order_no: str, *, get_file: str = "0") -> HttpRequest:
        return self.document.request(order_no, ticket=self.ticket, get_file=get_file)

    def query(self, order_no: str, *, get_file: str = "0") -> HttpResponse:
        return self.client.send_request(self.request(order_no, get_file=get_file))

    def query_with(self, ticket: str, order_no: str) -> HttpResponse:
        """Query with another ticket than the rig's."""
        return self.client.query(order_no, ticket=ticket, document=self.document)

    def photos(self, order_no: str) -> dict[str, str | None]:
        """Return the photos by name, from a query with `get_file=1`."""
        result = self.query(order_no, get_file="1").result
        return {name: result.get(name) for name in self.document.photos}


PHOTOS = BANK_CARD.photos
Check = Callable[[SandboxRig], None]
