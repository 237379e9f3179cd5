"""AWS's services that speak JSON: asked over kept connections, signed, and timed.

The SDK's way of one call took four times as long, and its clients half of a start.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from threading import Lock
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import msgspec

from kycourier import __version__
from kycourier.adapters.aws.account import Account, account_of
from kycourier.adapters.aws.calls import (
    NO_ANSWER,
    NO_TIME,
    UNREACHABLE,
    UNREADABLE,
    AwsAnswer,
    NotDone,
    refused,
)
from kycourier.adapters.aws.endpoints import find_endpoint, usual_endpoint
from kycourier.adapters.aws.signature import sign_post
from kycourier.adapters.http_exchange import Exchanged, Exchanges
from kycourier.adapters.http_session import silence_libraries
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.system import SystemNonces
from kycourier.core.errors import UpstreamUnreachable
from kycourier.ports import Clock

MOST_SECONDS, LEAST_SECONDS = 3.0, 0.5  # of one attempt, from name to last byte
LAST_SECONDS = 0.5  # of an invocation: not waited into, for a handler must answer
PAUSES = (1.0, 2.0)  # at most, before the second and the third attempt
MOST_BYTES = 17 << 20  # DynamoDB answers with 16 MB at most
_NOT_REACHED = {"resolve", "connect", "tls"}
_NO_API = {"encoded", "protocol", "too_large"}  # who so answers, will the next time
_ERRORS_FROM = 300


_PROTOCOLS = {  # what stands before an operation's name, and which JSON of AWS's it is
    "dynamodb": ("DynamoDB_20120810", "1.0"),
    "events": ("AWSEvents", "1.1"),
    "secretsmanager": ("secretsmanager", "1.1"),
    "sqs": ("AmazonSQS", "1.0"),
    "ssm": ("AmazonSSM", "1.1"),
}


def client_of(service: str, around: Surroundings) -> "JsonClient":
    """Give the client of a service that all adapters of these surroundings share.

    `service` is the name that requests are signed for. Raises SettingError.
    """
    account = account_of(around)
    with _making:
        clients = _made.setdefault(around, {})
        if service not in clients:
            clients[service] = JsonClient(
                service,
                account=account,
                environ=around.environ,
                clock=around.clock,
                seconds_left=around.seconds_left,
            )
        return clients[service]


class JsonClient:
    """One service of AWS in the account's region; threads share it."""

    def __init__(
        self,
        service: str,
        *,
        account: Account,
        environ: Mapping[str, str],
        clock: Clock,
        seconds_left: Callable[[], float],
    ) -> None:
        silence_libraries()
        self._service = service
        self._target, self._version = _PROTOCOLS[service]
        self._account, self._clock = account, clock
        self._seconds_left = seconds_left
        self._extra_ca_file = environ.get("SSL_CERT_FILE") or None
        self._endpoint = find_endpoint(environ, service)
        self._draw = SystemNonces().draw

    def ask(self, operation: str, **members: object) -> AwsAnswer:
        """Make a call, up to three times while it may go through the next time.

        Bytes in `members` are sent as Base64. Raises NotDone.
        """
        body = msgspec.json.encode(members)
        for pause in PAUSES:
            try:
                return self._attempt(operation, body)
            except NotDone as not_done:
                again = not_done.passes or not_done.why == UNREACHABLE
                needed = pause + MOST_SECONDS + LAST_SECONDS
                if not again or self._seconds_left() < needed:
                    raise
            self._clock.sleep(pause * self._draw())
        return self._attempt(operation, body)

    def _attempt(self, operation: str, body: bytes) -> AwsAnswer:
        headers = self._sign(operation, body)  # which may wait for new credentials
        seconds = min(MOST_SECONDS, self._seconds_left() - LAST_SECONDS)
        if seconds < LEAST_SECONDS:
            raise NotDone(NO_TIME)
        try:
            return _read(
                self._exchanges.post(self._path, headers, body, seconds=seconds)
            )
        except UpstreamUnreachable as error:
            fault = error.reason
        if fault in _NO_API:
            raise NotDone(UNREADABLE)
        is_away = fault in _NOT_REACHED
        raise NotDone(UNREACHABLE if is_away else NO_ANSWER, passes=not is_away)

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
                credentials=self._account.credentials(),
                now=self._clock.now(),
            ),
            "Accept-Encoding": "identity",
            "User-Agent": f"kycourier/{__version__}",
        }

    @cached_property
    def _region(self) -> str:
        return self._account.region()

    @cached_property
    def _url(self) -> str:
        return self._endpoint or usual_endpoint(self._service, self._region)

    @cached_property
    def _host(self) -> str:
        return urlsplit(self._url).netloc

    @cached_property
    def _path(self) -> str:
        return urlsplit(self._url).path or "/"

    @cached_property
    def _exchanges(self) -> Exchanges:
        return Exchanges(
            self._url, max_body_bytes=MOST_BYTES, extra_ca_file=self._extra_ca_file
        )


def _read(response: Exchanged) -> AwsAnswer:
    """Read what was answered. Raises NotDone."""
    date = response.headers.get("Date")
    told = _decode(response.content)
    answer = AwsAnswer(told or {}, date)
    if response.status >= _ERRORS_FROM:
        symbol = answer.members.get("__type", response.headers.get("x-amzn-errortype"))
        not_done = refused(response.status, symbol, answer)
        raise not_done
    if told is None:
        raise NotDone(UNREADABLE, answer=answer)
    return answer


def _decode(content: bytes) -> dict[str, Any] | None:
    """Read members; one that is null is absent, as to the SDK."""
    try:
        told = msgspec.json.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    return {name: value for name, value in told.items() if value is not None}


_making = Lock()
_made: WeakKeyDictionary[Surroundings, dict[str, JsonClient]] = WeakKeyDictionary()
