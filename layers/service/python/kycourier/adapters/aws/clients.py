"""AWS's clients: one of each service in a process, short of patience, and silent.

Reasons of failures: `denied <action> on a <kind>`, `no such <kind> in this region`,
`throttled`, `no time left`, else the symbol that AWS or its SDK gives it.
"""

import re
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import EnvProvider, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.parsers import ResponseParserError

from kycourier.adapters.aws.silence import silence_libraries
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import KycourierError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.model import OperationModel

T = TypeVar("T")
CONNECT_SECONDS, READ_SECONDS = 1, 2
ATTEMPTS = 3
CONNECTIONS = 20
DENIED = {
    "403",  # where the answer's body has no symbol
    "AccessDenied",
    "AccessDeniedException",
    "KmsAccessDenied",
    "KMSAccessDeniedException",
    "NotAuthorized",
    "UnauthorizedOperation",
}
MISSING = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "ParameterNotFound",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
}
THROTTLED = {
    "KmsThrottled",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}
_ERRORS_FROM = 300  # as the SDK has it
_SYMBOL = re.compile(r"[A-Za-z0-9._]{1,80}")
_ENDPOINT = "AWS_ENDPOINT_URL"
_SPELLED = {"events": "eventbridge", "secretsmanager": "secrets_manager"}


def run(
    call: Callable[[], T], *, action: str, kind: str, failure: type[KycourierError]
) -> T:
    """Make a call of AWS; what it or its SDK refuses becomes `failure`.

    `action` is the permission that it takes (`sqs:SendMessage`), `kind` what it is
    made on, in one word (table, secret, parameter, queue, bus).
    """
    try:
        return call()
    except ClientError as error:
        reason = _reason(code_of(error), action, kind)
    except (BotoCoreError, ResponseParserError) as error:
        reason = type(error).__name__
    except _NoTimeLeft:
        reason = "no time left"
    raise failure(reason)


def code_of(error: ClientError) -> str:
    """Give AWS's symbol for an error, never its text."""
    code = error.response.get("Error", {}).get("Code")
    known = isinstance(code, str) and _SYMBOL.fullmatch(code)
    return str(code) if known else "unreadable answer"


def clients_of(around: Surroundings) -> "AwsClients":
    """Give the clients that all adapters of these surroundings share."""
    with _making:
        clients = _made.get(around)
        if clients is None:
            clients = _made[around] = AwsClients(
                around.environ, seconds_left=around.seconds_left
            )
        return clients


class AwsClients:
    """Clients as an environment names region, endpoint and credentials."""

    def __init__(
        self, environ: Mapping[str, str], *, seconds_left: Callable[[], float]
    ) -> None:
        silence_libraries()
        self._environ, self._seconds_left = environ, seconds_left
        self._lock = Lock()
        self._clients: dict[str, Any] = {}
        self._session: boto3.Session | None = None

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 builds its classes as it runs
        """Give the client of a service, made when first asked for; threads share it.

        It may raise as a call does: to be given to `run` with one.
        """
        with self._lock:
            client = self._clients.get(service)
            if client is None:
                client = self._clients[service] = self._make(service)
            return client

    def credentials(self) -> ReadOnlyCredentials:
        """Give the credentials of this moment, renewed first when they end soon.

        It may raise as a call does.
        """
        with self._lock:
            found = self._opened().get_credentials()
        if found is None:
            raise NoCredentialsError
        return found.get_frozen_credentials()

    def _opened(self) -> boto3.Session:
        if self._session is None:
            self._session = _open_session(self._environ)
        return self._session

    def _make(self, service: str) -> Any:  # noqa: ANN401 - boto3 builds its classes as it runs
        own = f"{_ENDPOINT}_{_SPELLED.get(service, service).upper()}"
        client = self._opened().client(
            service,
            endpoint_url=self._environ.get(own) or self._environ.get(_ENDPOINT),
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                max_pool_connections=CONNECTIONS,
            ),
        )
        events, name = client.meta.events, client.meta.service_model.service_id
        events.register_first(f"request-created.{name.hyphenize()}", self._begin)
        events.register_first(f"needs-retry.{name.hyphenize()}", self._go_on)
        return client

    def _begin(self, **_: object) -> None:
        """Refuse to send when the invocation's time is over."""
        if self._seconds_left() <= 0:
            raise _NoTimeLeft

    def _go_on(
        self,
        *,
        attempts: int,
        operation: "OperationModel",
        response: "tuple[AWSResponse, dict[str, Any]] | None",
        caught_exception: Exception | None,
        **_: object,
    ) -> None:
        """End a failed call when the time left may not hold another attempt.

        That is one with its pause. What it failed with is raised, since a handler that
        answers False has only been heard as "no" from botocore 1.44 on: before, it was
        a pause of 0 s, also after success. Else the standard mode decides.
        """
        longest_pause = 2 ** (attempts - 1)
        if self._seconds_left() >= longest_pause + CONNECT_SECONDS + READ_SECONDS:
            return
        if caught_exception is not None:
            raise caught_exception
        if response is not None and response[0].status_code >= _ERRORS_FROM:
            raise ClientError(response[1], operation.name)


class _NoTimeLeft(Exception):  # noqa: N818 - reads as a fact
    """Nothing was sent. Raised in an event, where the SDK tries nothing again."""


def _open_session(environ: Mapping[str, str]) -> boto3.Session:
    """Open a session that looks into the given environment first."""
    core = botocore.session.Session()
    chain = core.get_component("credential_provider")
    chain.insert_before(EnvProvider.METHOD, EnvProvider(dict(environ)))
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    return boto3.Session(botocore_session=core, region_name=region)


def _reason(code: str, action: str, kind: str) -> str:
    if code in DENIED:
        return f"denied {action} on a {kind}"
    if code in MISSING:
        return f"no such {kind} in this region"
    return "throttled" if code in THROTTLED else code


_making = Lock()
_made: WeakKeyDictionary[Surroundings, AwsClients] = WeakKeyDictionary()
