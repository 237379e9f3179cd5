"""AWS's clients: one of each service in a process, short of patience, and silent.

They are boto3's, made by its core: boto3 around it takes 20 ms to import for nothing.
"""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from botocore.config import Config
from botocore.credentials import EnvProvider, ReadOnlyCredentials
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.session import Session

from kycourier.adapters.aws.calls import NoTimeLeft
from kycourier.adapters.aws.endpoints import find_endpoint
from kycourier.adapters.aws.silence import silence_libraries
from kycourier.adapters.surroundings import Surroundings

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.model import OperationModel

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 1.0, 2.0, 3
LAST_CONNECT_SECONDS, LAST_READ_SECONDS = 0.2, 0.25  # once, when time is short
LAST_SECONDS = 0.5  # of an invocation: not waited into, for a handler must answer
CONNECTIONS = 20
_ERRORS_FROM = 300  # as the SDK has it


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
        self._clients: dict[tuple[str, bool], Any] = {}
        self._session: Session | None = None

    def client(self, service: str) -> Any:  # noqa: ANN401 - botocore builds its classes as it runs
        """Give the client of a service, made when first asked for; threads share it.

        There is a second one that hardly waits, for an invocation's last seconds. It
        may raise as a call does: to be given to `run` with one.
        """
        patient = self._seconds_left() >= LAST_SECONDS + CONNECT_SECONDS + READ_SECONDS
        with self._lock:
            client = self._clients.get((service, patient))
            if client is None:
                config = _patient() if patient else _hasty()
                client = self._make(service, config)
                self._clients[service, patient] = client
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

    def region(self) -> str | None:
        """Name the region that AWS's own chain finds, the person's files included."""
        with self._lock:
            name: str | None = self._opened().get_config_variable("region")
            return name

    def _opened(self) -> Session:
        if self._session is None:
            self._session = _open_session(self._environ)
        return self._session

    def _make(self, service: str, config: Config) -> Any:  # noqa: ANN401 - botocore builds its classes as it runs
        client = self._opened().create_client(
            service,
            endpoint_url=find_endpoint(self._environ, service),
            config=config,
        )
        events, name = client.meta.events, client.meta.service_model.service_id
        events.register_first(f"request-created.{name.hyphenize()}", self._begin)
        events.register_first(f"needs-retry.{name.hyphenize()}", self._go_on)
        return client

    def _begin(self, **_: object) -> None:
        """Refuse to send what may not end before the invocation's last half second."""
        needed = LAST_CONNECT_SECONDS + LAST_READ_SECONDS + LAST_SECONDS
        if self._seconds_left() < needed:
            raise NoTimeLeft

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
        needed = longest_pause + CONNECT_SECONDS + READ_SECONDS + LAST_SECONDS
        if self._seconds_left() >= needed:
            return
        if caught_exception is not None:
            raise caught_exception
        if response is not None and response[0].status_code >= _ERRORS_FROM:
            raise ClientError(response[1], operation.name)


def _patient() -> Config:
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=CONNECTIONS,
        parameter_validation=False,  # a tenth of a call; the service validates too
    )


def _hasty() -> Config:
    return Config(
        connect_timeout=LAST_CONNECT_SECONDS,
        read_timeout=LAST_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=CONNECTIONS,
        parameter_validation=False,  # a tenth of a call; the service validates too
    )


def _open_session(environ: Mapping[str, str]) -> Session:
    """Open a session that looks into the given environment first."""
    session = Session()
    chain = session.get_component("credential_provider")
    chain.insert_before(EnvProvider.METHOD, EnvProvider(dict(environ)))
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if region:
        session.set_config_variable("region", region)
    return session


_making = Lock()
_made: WeakKeyDictionary[Surroundings, AwsClients] = WeakKeyDictionary()
