"""Reads the credentials of the function's role, which SCF sets in the environment.

They are temporary and SCF replaces them, so each call reads them again.
"""

from collections.abc import Mapping

from msgspec import Struct

from kycourier.core.errors import KycourierError
from kycourier.core.redaction import repr_only

NONE = "no credentials: bind a role to the function"


@repr_only()
class Credentials(Struct, frozen=True):
    """A key pair, and the session token of a role's."""

    secret_id: str
    secret_key: str
    token: str | None


def read_credentials(environ: Mapping[str, str]) -> Credentials | None:
    """Returns the current credentials; None if there are none."""
    secret_id = environ.get("TENCENTCLOUD_SECRETID")
    secret_key = environ.get("TENCENTCLOUD_SECRETKEY")
    if not secret_id or not secret_key:
        return None
    token = environ.get("TENCENTCLOUD_SESSIONTOKEN") or None
    return Credentials(secret_id, secret_key, token)


def require_credentials(
    environ: Mapping[str, str], *, failure: type[KycourierError]
) -> None:
    """Checks that there are credentials. Raises `failure`."""
    if read_credentials(environ) is None:
        raise failure(NONE)
