"""The credentials of the function's role, as SCF puts them into the environment.

They are temporary, and SCF puts new ones in their place: each call reads them anew.
"""

from collections.abc import Mapping

from msgspec import Struct

from kycourier.core.errors import KycourierError
from kycourier.core.hidden import shows

NONE = "no credentials: bind a role to the function"


@shows()
class Credentials(Struct, frozen=True):
    """A key pair, and what proves that it is a role's."""

    secret_id: str
    secret_key: str
    token: str | None


def read_credentials(environ: Mapping[str, str]) -> Credentials | None:
    """Read the credentials of this moment, if there are any."""
    secret_id = environ.get("TENCENTCLOUD_SECRETID")
    secret_key = environ.get("TENCENTCLOUD_SECRETKEY")
    if not secret_id or not secret_key:
        return None
    token = environ.get("TENCENTCLOUD_SESSIONTOKEN") or None
    return Credentials(secret_id, secret_key, token)


def demand_credentials(
    environ: Mapping[str, str], *, failure: type[KycourierError]
) -> None:
    """Raise `failure` if there are no credentials now."""
    if read_credentials(environ) is None:
        raise failure(NONE)
