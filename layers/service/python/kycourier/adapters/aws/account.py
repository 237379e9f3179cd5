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
_PLAIN = re.compile("[!-~]*")  # a newline pasted along would spoil the header
NONE, NO_REGION = "no credentials", "no region: set AWS_REGION"
SAID = {  # what the SDK means by its errors
    "ClientError": "credentials refused",  # of a role, where no class of it says more
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
        found = self._read_environ() or self._ask_sdk(
            self._find_credentials, lacking=NONE
        )
        texts = (found.key_id, found.key, found.token or "")
        if all(map(_PLAIN.fullmatch, texts)):
            return found
        raise NotDone("credentials hold odd characters")

    def region(self) -> str:
        """Name the region, that of the person's files included. Raises NotDone."""
        region = _name_region(self._environ) or self._ask_sdk(
            _find_region, lacking=NO_REGION
        )
        if _REGION.fullmatch(region):
            return region
        raise NotDone("no such region")

    def _read_environ(self) -> AwsCredentials | None:
        key_id = self._environ.get("AWS_ACCESS_KEY_ID")
        key = self._environ.get("AWS_SECRET_ACCESS_KEY")
        if key_id and key:
            return AwsCredentials(key_id, key, self._environ.get("AWS_SESSION_TOKEN"))
        return None

    def _ask_sdk(self, find: "Callable[[Session], T | None]", *, lacking: str) -> T:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - 100 ms
        from botocore.parsers import ResponseParserError  # noqa: PLC0415 - the same

        reason = lacking
        try:
            found = find(self._opened())
        except (
            BotoCoreError,
            ClientError,  # of the services that give credentials
            ResponseParserError,
            OSError,  # of a command that gives them
            ValueError,  # of what it wrote
        ) as error:
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

    def _find_credentials(self, session: "Session") -> AwsCredentials | None:
        with self._lock:  # the SDK's chain bears one thread only; renewing, any
            found = session.get_credentials()
        if found is None:
            return None
        frozen = found.get_frozen_credentials()
        return AwsCredentials(frozen.access_key, frozen.secret_key, frozen.token)


def _find_region(session: "Session") -> str | None:
    region: str | None = session.get_config_variable("region")
    return region


def _open_session(environ: Mapping[str, str]) -> "Session":
    """Open a session that looks into the given environment first.

    It is told the region too: of AWS_REGION, where a role is had, it knows nothing.
    """
    from botocore.credentials import EnvProvider  # noqa: PLC0415 - 100 ms
    from botocore.session import Session  # noqa: PLC0415 - the same

    from kycourier.adapters.aws.silence import silence_libraries  # noqa: PLC0415

    silence_libraries()
    session = Session()
    region = _name_region(environ)
    if region:
        session.set_config_variable("region", region)
    chain = session.get_component("credential_provider")
    chain.insert_before(EnvProvider.METHOD, EnvProvider(dict(environ)))
    return session


def _name_region(environ: Mapping[str, str]) -> str | None:
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")


_making = Lock()
_made: WeakKeyDictionary[Surroundings, Account] = WeakKeyDictionary()
