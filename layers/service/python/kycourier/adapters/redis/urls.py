"""Parses Redis URLs: `redis[s]://[user[:password]@]host[:port][/db][?…][#key]`.

Parameters: `ca` is the file of a private authority, `password` a secret reference in
place of a password in the URL. All others are rejected, so that none can weaken the
connection.
"""

import re
from urllib.parse import parse_qsl, unquote

from msgspec import Struct

from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret, repr_only
from kycourier.settings.parsers import InvalidSettingError
from kycourier.settings.parsers import secret_reference as parse_reference
from kycourier.settings.resource_url import ResourceUrl

PORT, MAX_PORT = 6379, 65535
_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})"
_URL = re.compile(
    r"(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^:@/?#]*))?@)?"
    rf"(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?:/(?P<db>[0-9]{0,4}))?(?:\?(?P<query>[^#]*))?(?:#(?P<key>.+))?"
)


@repr_only("host", "port", "tls", "db")
class RedisUrl(Struct, frozen=True, kw_only=True):
    """A server's address and login; `password` is the URL's own, decoded."""

    host: str
    port: int
    tls: bool
    db: int
    user: str | None
    password: Secret | None
    password_reference: ResourceUrl | None
    ca_file: str | None
    key: str


def parse_redis_url(url: ResourceUrl) -> RedisUrl:
    """Parses a Redis URL and decodes percent-encoding.

    Raises:
        StoreUnavailableError: the URL is wrong; the error does not repeat it.
    """
    match = _URL.fullmatch(url.rest)
    if match is None or int(match["port"] or PORT) > MAX_PORT:
        raise StoreUnavailableError(
            "must be redis[s]://[user:password@]host[:port][/db]"
        )
    user, password = match["user"] or None, match["password"] or None
    reference, ca_file = _parameters(match["query"] or "", tls=url.scheme == "rediss")
    if reference and password:
        raise StoreUnavailableError("has two passwords")
    if user and not (reference or password):
        raise StoreUnavailableError("has a user without a password")
    return RedisUrl(
        host=match["host"].strip("[]"),
        port=int(match["port"] or PORT),
        tls=url.scheme == "rediss",
        db=int(match["db"] or 0),
        user=unquote(user) if user else None,
        password=Secret(unquote(password)) if password else None,
        password_reference=reference,
        ca_file=ca_file,
        key=unquote(match["key"] or ""),
    )


def _parameters(query: str, *, tls: bool) -> tuple[ResourceUrl | None, str | None]:
    pairs = parse_qsl(query, keep_blank_values=True)
    parameters = dict(pairs)
    if len(parameters) < len(pairs) or parameters.keys() - {"ca", "password"}:
        raise StoreUnavailableError(
            "takes only the parameters ca and password, each once"
        )
    ca_file = parameters.get("ca")
    if ca_file is not None and not (tls and ca_file.startswith("/")):
        raise StoreUnavailableError("takes ca=/path only with rediss://")
    return _reference(
        parameters["password"]
    ) if "password" in parameters else None, ca_file


def _reference(text: str) -> ResourceUrl:
    try:
        reference = parse_reference(text)
    except InvalidSettingError:
        reference = None
    if reference is None:
        raise StoreUnavailableError(
            "takes a secret reference as the parameter password"
        )
    return reference
