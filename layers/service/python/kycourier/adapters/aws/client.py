"""Calls AWS's JSON APIs over kept connections, with signatures and deadlines.

The SDK takes four times as long for a call, and its clients take half of a cold start.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from threading import Lock
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import msgspec

from kycourier import __version__
from kycourier.adapters.aws.credentials import CredentialProvider, shared_credentials
from kycourier.adapters.aws.errors import AwsResponse, call_failed
from kycourier.adapters.aws.signature import sign_post
from kycourier.adapters.aws.urls import default_endpoint, find_endpoint
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.http.api_calls import (
    NO_RESPONSE,
    NO_TIME,
    NOT_CONNECTED,
    UNREACHABLE,
    UNREADABLE,
    CallFailedError,
)
from kycourier.adapters.http.post_client import HttpResponse, PostClient
from kycourier.adapters.http.sessions import mute_http_libraries
from kycourier.adapters.system import SystemRandom
from kycourier.core.errors import TransportError
from kycourier.core.timing import (
    ADAPTER_RESERVE_SECONDS,
    AWS_CALL_MIN_SECONDS,
    AWS_CALL_SECONDS,
    AWS_PAUSES_SECONDS,
)
from kycourier.ports import Clock

MAX_BYTES = 17 << 20  # a DynamoDB response has 16 MB at most
_NOT_AN_API = {
    "reply_encoded",
    "reply_not_http",
    "reply_too_large",
}  # a retry would get the same
_FIRST_ERROR_STATUS = 300
_PROTOCOLS = {  # the prefix of an operation's name, and the version of AWS's JSON
    "dynamodb": ("DynamoDB_20120810", "1.0"),
    "events": ("AWSEvents", "1.1"),
    "secretsmanager": ("secretsmanager", "1.1"),
    "sqs": ("AmazonSQS", "1.0"),
    "ssm": ("AmazonSSM", "1.1"),
}


def shared_client(service: str, context: AdapterContext) -> "JsonClient":
    """Returns the client of a service, shared by all adapters of the context.

    Args:
        service: The service's name in signatures (`dynamodb`).
        context: The process.

    Raises:
        SettingError: the environment's endpoint is invalid.
    """
    credentials = shared_credentials(context)
    with _clients_lock:
        clients = _clients.setdefault(context, {})
        if service not in clients:
            clients[service] = JsonClient(
                service,
                credentials=credentials,
                environ=context.environ,
                clock=context.clock,
                seconds_left=context.seconds_left,
            )
        return clients[service]


class JsonClient:
    """A client of one AWS service in one region; threads share it."""

    def __init__(
        self,
        service: str,
        *,
        credentials: CredentialProvider,
        environ: Mapping[str, str],
        clock: Clock,
        seconds_left: Callable[[], float],
    ) -> None:
        mute_http_libraries()
        self._service = service
        self._target, self._version = _PROTOCOLS[service]
        self._credentials, self._clock = credentials, clock
        self._seconds_left = seconds_left
        self._extra_ca_file = environ.get("SSL_CERT_FILE") or None
        self._endpoint = find_endpoint(environ, service)
        self._draw = SystemRandom().draw

    def call(self, operation: str, **members: object) -> AwsResponse:
        """Makes a call, up to three times after transient failures.

        Args:
            operation: The API's operation (`GetItem`).
            **members: Its parameters; bytes are sent as Base64.

        Raises:
            CallFailedError: the call failed.
        """
        body = msgspec.json.encode(members)
        for pause in AWS_PAUSES_SECONDS:
            try:
                return self._attempt(operation, body)
            except CallFailedError as failed:
                can_repeat = failed.transient or failed.code == UNREACHABLE
                needed = pause + AWS_CALL_SECONDS + ADAPTER_RESERVE_SECONDS
                if not can_repeat or self._seconds_left() < needed:
                    raise
            self._clock.sleep(pause * self._draw())
        return self._attempt(operation, body)

    def _attempt(self, operation: str, body: bytes) -> AwsResponse:
        headers = self._sign(operation, body)  # takes time if credentials are renewed
        seconds = min(AWS_CALL_SECONDS, self._seconds_left() - ADAPTER_RESERVE_SECONDS)
        if seconds < AWS_CALL_MIN_SECONDS:
            raise CallFailedError(NO_TIME)
        try:
            return _parse(self._http.post(self._path, headers, body, seconds=seconds))
        except TransportError as error:
            reason = error.reason
        if reason in _NOT_AN_API:
            raise CallFailedError(UNREADABLE)
        if reason in NOT_CONNECTED:
            raise CallFailedError(UNREACHABLE)
        raise CallFailedError(NO_RESPONSE, transient=True)

    def _sign(self, operation: str, body: bytes) -> Mapping[str, str]:
        return {
            **sign_post(
                {
                    "Host": self._host,
                    "Content-Type": f"application/x-amz-json-{self._version}",
                    "X-Amz-Target": f"{self._target}.{operation}",
                },
                body,
                path=self._path,
                service=self._service,
                region=self._region,
                credentials=self._credentials.credentials(),
                now=self._clock.now(),
            ),
            "Accept-Encoding": "identity",
            "User-Agent": f"kycourier/{__version__}",
        }

    @cached_property
    def _region(self) -> str:
        return self._credentials.region()

    @cached_property
    def _url(self) -> str:
        return self._endpoint or default_endpoint(self._service, self._region)

    @cached_property
    def _host(self) -> str:
        return urlsplit(self._url).netloc

    @cached_property
    def _path(self) -> str:
        return urlsplit(self._url).path or "/"

    @cached_property
    def _http(self) -> PostClient:
        return PostClient(
            self._url, max_body_bytes=MAX_BYTES, extra_ca_file=self._extra_ca_file
        )


def _parse(http: HttpResponse) -> AwsResponse:
    """Parses a response. Raises CallFailedError."""
    members = _decode(http.content)
    response = AwsResponse(members or {}, http.headers.get("Date"))
    if http.status >= _FIRST_ERROR_STATUS:
        symbol = response.members.get("__type", http.headers.get("x-amzn-errortype"))
        raise call_failed(http.status, symbol, response)
    if members is None:
        raise CallFailedError(UNREADABLE, response=response)
    return response


def _decode(content: bytes) -> dict[str, Any] | None:
    """Decodes the members of a JSON object; leaves out null ones, as the SDK does."""
    try:
        members = msgspec.json.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not isinstance(members, dict):
        return None
    return {name: value for name, value in members.items() if value is not None}


_clients_lock = Lock()
_clients: WeakKeyDictionary[AdapterContext, dict[str, JsonClient]] = WeakKeyDictionary()
