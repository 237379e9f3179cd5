"""What a Redis URL may say: `redis[s]://[user[:password]@]host[:port][/db][?…][#key]`.

Parameters: `ca` is the file of a private authority, `password` a secret reference in
place of a password in the URL. No other is taken, so none can weaken the connection.
"""

import re
from urllib.parse import parse_qsl, unquote

from msgspec import Struct

from kycourier.core.errors import StoreUnavailable
from kycourier.core.hidden import Secret, shows
from kycourier.setting_forms import Place, WrongForm
from kycourier.setting_forms import secret as parse_reference

PORT, HIGHEST_PORT = 6379, 65535
_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})"
_URL = re.compile(
    r"(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^:@/?#]*))?@)?"
    rf"(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?:/(?P<db>[0-9]{0,4}))?(?:\?(?P<query>[^#]*))?(?:#(?P<key>.+))?"
)


@shows("host", "port", "tls", "db")
class Address(Struct, frozen=True, kw_only=True):
    """Where a Redis is and how to log in; `password` as it stands in the URL."""

    host: str
    port: int
    tls: bool
    db: int
    user: str | None
    password: Secret | None
    password_reference: Place | None
    ca_file: str | None
    key: str


def parse_address(place: Place) -> Address:
    """Read a Redis URL, percent-encoding undone. Raises StoreUnavailable."""
    found = _URL.fullmatch(place.where)
    if found is None or int(found["port"] or PORT) > HIGHEST_PORT:
        raise StoreUnavailable("must be redis[s]://[user:password@]host[:port][/db]")
    user, password = found["user"] or None, found["password"] or None
    reference, ca_file = _parameters(found["query"] or "", tls=place.scheme == "rediss")
    if reference and password:
        raise StoreUnavailable("has two passwords")
    if user and not (reference or password):
        raise StoreUnavailable("has a user without a password")
    return Address(
        host=found["host"].strip("[]"),
        port=int(found["port"] or PORT),
        tls=place.scheme == "rediss",
        db=int(found["db"] or 0),
        user=unquote(user) if user else None,
        password=Secret(unquote(password)) if password else None,
        password_reference=reference,
        ca_file=ca_file,
        key=unquote(found["key"] or ""),
    )


def _parameters(query: str, *, tls: bool) -> tuple[Place | None, str | None]:
    pairs = parse_qsl(query, keep_blank_values=True)
    given = dict(pairs)
    if len(given) < len(pairs) or given.keys() - {"ca", "password"}:
        raise StoreUnavailable("takes the parameters ca and password alone, each once")
    ca_file = given.get("ca")
    if ca_file is not None and not (tls and ca_file.startswith("/")):
        raise StoreUnavailable("takes ca=/path with rediss:// alone")
    return _reference(given["password"]) if "password" in given else None, ca_file


def _reference(text: str) -> Place:
    try:
        place = parse_reference(text)
    except WrongForm:
        place = None
    if place is None:
        raise StoreUnavailable("takes a secret reference as the parameter password")
    return place
