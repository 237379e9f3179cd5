"""Whose calls of AWS they are, and in which region: credentials of this moment.

The environment has them in a function. Elsewhere (a person's profile, SSO, a container,
SnapStart) AWS's own SDK finds them and renews them; only then is it imported.
"""

import re
from collections.abc import Callable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from msgspec import Struct

from kycourier.adapters.aws.calls import NotDone
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.hidden import shows

if TYPE_CHECKING:
    from botocore.session import Session

T = TypeVar("T")
_REGION = re.compile("[a-z]{2,5}(-[a-z]{2,10}){1,2}-[0-9]{1,2}")  # of a host's name
NONE, NO_REGION = "no credentials", "no region: set AWS_REGION"
SAID = {  # what the SDK means by its errors
    "EndpointConnectionError": "unreachable",
    "NoCredentialsError": NONE,
    "NoRegionError": NO_REGION,
    "PartialCredentialsError": "credentials are not whole",
    "ProfileNotFound": "no such profile",
}


@shows()
class AwsCredentials(Struct, frozen=True):
    """A key, its secret, and the token of one that ends."""

    key_id: str
    key: str
    token: str | None


def account_of(around: Surroundings) -> "Account":
    """Give the account that all adapters of these surroundings share."""
    with _making:
        if around not in _made:
            _made[around] = Account(around.environ)
        return _made[around]


class Account:
    """Credentials and region as an environment has them, else as AWS's SDK finds."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ, self._lock = environ, Lock()
        self._session: Session | None = None

    def credentials(self) -> AwsCredentials:
        """Give the credentials of this moment. Raises NotDone."""
        key_id = self._environ.get("AWS_ACCESS_KEY_ID")
        key = self._environ.get("AWS_SECRET_ACCESS_KEY")
        if key_id and key:
            return AwsCredentials(key_id, key, self._environ.get("AWS_SESSION_TOKEN"))
        return self._ask_sdk(_find_credentials)

    def region(self) -> str:
        """Name the region, that of the person's files included. Raises NotDone."""
        environ = self._environ
        named = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        region = named or self._ask_sdk(_find_region)
        if _REGION.fullmatch(region):
            return region
        raise NotDone("no such region")

    def _ask_sdk(self, find: "Callable[[Session], T | None]") -> T:
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - 100 ms

        reason = NONE if find is _find_credentials else NO_REGION
        try:
            found = find(self._opened())
        except BotoCoreError as error:
            name = type(error).__name__
            reason = SAID.get(name, name)
        else:
            if found is not None:
                return found
        raise NotDone(reason)

    def _opened(self) -> "Session":
        with self._lock:
            if self._session is None:
                self._session = _open_session(self._environ)
            return self._session


def _find_credentials(session: "Session") -> AwsCredentials | None:
    found = session.get_credentials()
    if found is None:
        return None
    frozen = found.get_frozen_credentials()
    return AwsCredentials(frozen.access_key, frozen.secret_key, frozen.token)


def _find_region(session: "Session") -> str | None:
    region: str | None = session.get_config_variable("region")
    return region


def _open_session(environ: Mapping[str, str]) -> "Session":
    """Open a session that looks into the given environment first."""
    from botocore.credentials import EnvProvider  # noqa: PLC0415 - 100 ms
    from botocore.session import Session  # noqa: PLC0415 - the same

    from kycourier.adapters.aws.silence import silence_libraries  # noqa: PLC0415

    silence_libraries()
    session = Session()
    chain = session.get_component("credential_provider")
    chain.insert_before(EnvProvider.METHOD, EnvProvider(dict(environ)))
    return session


_making = Lock()
_made: WeakKeyDictionary[Surroundings, Account] = WeakKeyDictionary()
