"""Finds AWS credentials and the region, and renews them.

In a function the environment has them. Elsewhere (profiles, SSO, containers, SnapStart)
AWS's SDK finds and renews them; it is imported only then.
"""

import re
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from msgspec import Struct

from kycourier.adapters.context import AdapterContext
from kycourier.adapters.http.api_calls import CallFailedError
from kycourier.adapters.http.mute_loggers import logger_names, mute_loggers
from kycourier.core.redaction import repr_only

if TYPE_CHECKING:
    from botocore.session import Session

T = TypeVar("T")
NOISY_PACKAGES = ("boto3", "botocore", "s3transfer", "urllib3")
_REGION = re.compile("[a-z]{2,5}(-[a-z]{2,10}){1,2}-[0-9]{1,2}")
_PRINTABLE = re.compile("[!-~]*")  # a pasted newline would break the header
NONE, NO_REGION = "no credentials", "no region: set AWS_REGION"
REASONS = {  # by the SDK's error class
    "ClientError": "credentials refused",  # e.g. for assuming a role
    "EndpointConnectionError": "unreachable",
    "NoCredentialsError": NONE,
    "NoRegionError": NO_REGION,
    "PartialCredentialsError": "credentials are incomplete",
    "ProfileNotFound": "no such profile",
}


@repr_only()
class AwsCredentials(Struct, frozen=True):
    """An access key, and the session token of a temporary one."""

    key_id: str
    key: str
    token: str | None


def shared_credentials(context: AdapterContext) -> "CredentialProvider":
    """Returns the provider that all adapters of the context share."""
    with _providers_lock:
        if context not in _providers:
            _providers[context] = CredentialProvider(context.environ)
        return _providers[context]


class CredentialProvider:
    """Credentials and region from the environment, else from AWS's SDK."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ, self._lock = environ, Lock()
        self._session: Session | None = None

    def credentials(self) -> AwsCredentials:
        """Returns the current credentials. Raises CallFailedError."""
        credentials = self._read_environ() or self._query_sdk(
            self._find_credentials, missing=NONE
        )
        texts = (credentials.key_id, credentials.key, credentials.token or "")
        if all(map(_PRINTABLE.fullmatch, texts)):
            return credentials
        raise CallFailedError("credentials have invalid characters")

    def region(self) -> str:
        """Returns the region, which may be a profile's. Raises CallFailedError."""
        region = _region_of(self._environ) or self._query_sdk(
            _find_region, missing=NO_REGION
        )
        if _REGION.fullmatch(region):
            return region
        raise CallFailedError("invalid region")

    def _read_environ(self) -> AwsCredentials | None:
        key_id = self._environ.get("AWS_ACCESS_KEY_ID")
        key = self._environ.get("AWS_SECRET_ACCESS_KEY")
        if key_id and key:
            return AwsCredentials(key_id, key, self._environ.get("AWS_SESSION_TOKEN"))
        return None

    def _query_sdk(self, find: "Callable[[Session], T | None]", *, missing: str) -> T:
        """Finds a value with the SDK; `missing` is the reason if there is none."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        from botocore.parsers import ResponseParserError  # noqa: PLC0415

        reason = missing
        try:
            value = find(self._shared_session())
        except (
            BotoCoreError,
            ClientError,  # from services that issue credentials
            ResponseParserError,
            OSError,  # from running a credential command
            ValueError,  # from parsing the command's output
        ) as error:
            name = type(error).__name__
            reason = REASONS.get(name, name)
        else:
            if value is not None:
                return value
        raise CallFailedError(reason)

    def _shared_session(self) -> "Session":
        with self._lock:
            if self._session is None:
                self._session = _open_session(self._environ)
            return self._session

    def _find_credentials(self, session: "Session") -> AwsCredentials | None:
        with self._lock:  # only the renewal below is thread-safe
            credentials = session.get_credentials()
        if credentials is None:
            return None
        frozen = credentials.get_frozen_credentials()
        return AwsCredentials(frozen.access_key, frozen.secret_key, frozen.token)


def noisy_loggers() -> tuple[str, ...]:
    """Returns the logger names of all of the SDK's modules."""
    return logger_names(NOISY_PACKAGES)


def mute_sdk() -> None:
    """Drops every record of the SDK's loggers: at DEBUG they write whole requests.

    It also shields the SDK's connections from http.client's class-wide debug switch,
    which prints requests.
    """
    mute_loggers(noisy_loggers())
    from botocore.awsrequest import (  # noqa: PLC0415 - only where the SDK is used
        AWSHTTPConnection,
        AWSHTTPSConnection,
    )

    for connection in (AWSHTTPConnection, AWSHTTPSConnection):
        connection.debuglevel = 0


def _find_region(session: "Session") -> str | None:
    region: str | None = session.get_config_variable("region")
    return region


def _open_session(environ: Mapping[str, str]) -> "Session":
    """Opens a session that reads credentials from `environ` first.

    The region is set explicitly because the SDK does not read AWS_REGION.
    """
    from botocore.credentials import EnvProvider  # noqa: PLC0415 - takes 100 ms
    from botocore.session import Session  # noqa: PLC0415 - as above

    mute_sdk()
    session = Session()
    region = _region_of(environ)
    if region:
        session.set_config_variable("region", region)
    chain = session.get_component("credential_provider")
    chain.insert_before(EnvProvider.METHOD, EnvProvider(dict(environ)))
    return session


def _region_of(environ: Mapping[str, str]) -> str | None:
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")


_providers_lock = Lock()
_providers: WeakKeyDictionary[AdapterContext, CredentialProvider] = WeakKeyDictionary()
