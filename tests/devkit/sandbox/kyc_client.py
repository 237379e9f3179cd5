"""A small client of the platform API: fetches a ticket, signs and queries."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha1
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from kycourier_devkit.sandbox import APP_ID, APP_SECRET, Sandbox

TOKEN_PATH = "/api/oauth2/access_token"
TICKET_PATH = "/api/oauth2/api_ticket"
RESULT_PATH = "/api/server/getBankCardOcrResult"
NONCE = "kHoSxvLZGxSoFsjxlbzEoUzh5PAnTU7T"
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


def sign(*values: str) -> str:
    return sha1("".join(sorted(values)).encode(), usedforsecurity=False).hexdigest()


class KycClient:
    """Calls a sandbox; opens a new connection for each request."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def connect(self) -> HTTPConnection:
        return HTTPConnection(str(urlsplit(self._sandbox.url).netloc), timeout=10)

    def send(self, method: str, target: str, body: bytes | None = None) -> HttpResponse:
        connection = self.connect()
        try:
            connection.request(method, target, body)
            response = connection.getresponse()
            headers = dict(response.headers)
            return HttpResponse(response.status, headers, response.read())
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

    def refresh(self) -> str:
        return self.ticket(self.token())

    def query(
        self, order_no: str, *, ticket: str, get_file: str = "0", nonce: str = NONCE
    ) -> HttpResponse:
        return self.get(
            RESULT_PATH,
            **query_parameters(order_no, ticket=ticket, nonce=nonce),
            get_file=get_file,
        )


def token_parameters(secret: str = APP_SECRET) -> dict[str, str]:
    return {
        "app_id": APP_ID,
        "secret": secret,
        "grant_type": "client_credential",
        "version": "1.0.0",
    }


def query_parameters(
    order_no: str, *, ticket: str, nonce: str = NONCE
) -> dict[str, str]:
    return {
        "app_id": APP_ID,
        "order_no": order_no,
        "nonce": nonce,
        "version": "1.0.0",
        "sign": sign(APP_ID, order_no, "1.0.0", ticket, nonce),
    }


@dataclass(frozen=True)
class SandboxRig:
    """A started sandbox, a client with a ticket, and the clock of both."""

    sandbox: Sandbox
    client: KycClient
    clock: FakeClock
    ticket: str

    def query(self, order_no: str, *, get_file: str = "0") -> HttpResponse:
        return self.client.query(order_no, ticket=self.ticket, get_file=get_file)

    def photos(self, order_no: str) -> dict[str, str | None]:
        """Return the photos by name, from a query with `get_file=1`."""
        result = self.query(order_no, get_file="1").result
        return {name: result.get(name) for name in PHOTOS}


PHOTOS = ("originBankcardPhoto", "bankcardCropPhoto", "bankcardNoPhoto")
Check = Callable[[SandboxRig], None]
