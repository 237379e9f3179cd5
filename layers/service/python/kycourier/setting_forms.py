"""The forms that settings may have; a wrong one is told without repeating it."""

import re
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from kycourier.core.hidden import shows
from kycourier.core.wire import Profile

_MOST_PORT = 65535
_REDIS = {"redis", "rediss"}
_PATH_CHARACTERS = "/!$&'()*+,;=:@~"  # RFC 3986, what needs no encoding


@shows("scheme")  # the rest of a Redis URL may hold a password
class Place(Struct, frozen=True):
    """A URL that names a store, sink, queue or secret. `where` is all after `://`."""

    scheme: str
    where: str

    @property
    def base_uri(self) -> str:
        """What stands before an object's key: no query, no slash at the end."""
        where = self.where.partition("?")[0].rstrip("/")
        return f"{self.scheme}://{quote(where, safe=_PATH_CHARACTERS)}"


class WrongForm(Exception):  # noqa: N818 - inside this module only
    """Why a value is wrong, in words that do not repeat it."""


def pattern(expression: str, meaning: str) -> Callable[[str], str]:
    """Accept what matches whole."""

    def parse(text: str) -> str:
        if not re.fullmatch(expression, text):
            raise WrongForm(f"must be {meaning}")
        return text

    return parse


def one_of(*names: str) -> Callable[[str], str]:
    """Accept one of a few words."""
    return pattern("|".join(names), " or ".join(names))


def place(*forms: str, word: str | None = None) -> Callable[[str], Place | None]:
    """Accept a URL in one of `forms` (`scheme://…`), or `word`, which gives None."""
    schemes = [form.partition(":")[0] for form in forms]
    keyed = any("#" in form for form in forms)
    known = " or ".join([word, *forms] if word else forms)

    def parse(text: str) -> Place | None:
        if word and text == word:
            return None
        scheme, _, where = text.partition("://")
        if text.startswith("env:"):
            scheme, where = "env", text[len("env:") :]
        if scheme not in schemes or not where or not where.isprintable():
            raise WrongForm(f"must be {known}")
        if scheme == "file" and not where.startswith("/"):
            raise WrongForm("must be an absolute path: file:///…")
        if scheme == "sqlite" and not re.fullmatch("//?[^/].*", where):
            raise WrongForm("must name a file: sqlite:///path")
        if scheme in _REDIS:
            _check_key(where, wanted=keyed)
        return Place(scheme, where)

    return parse


def _check_key(where: str, *, wanted: bool) -> None:
    """Refuse a Redis URL without the key that it needs, or with one to no purpose."""
    _, mark, key = where.partition("#")
    if wanted and not key:
        raise WrongForm("must name a key: redis[s]://…#key")
    if mark and not wanted:
        raise WrongForm("must name no key; a # in a password is written %23")


SECRET_FORMS = (
    "env:NAME",
    "file:///path",
    "aws-secretsmanager://name",
    "aws-ssm://name",
    "tencent-ssm://name?region=…",
)
secret = place(*SECRET_FORMS)


def number(
    least: float, most: float, make: Callable[[float], Any] = int
) -> Callable[[str], Any]:
    """Accept a number between two bounds, made into a value by `make`.

    A count (`int`) is a whole number.
    """

    def parse(text: str) -> Any:  # noqa: ANN401 - as `make` says
        if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,3})?", text):
            raise WrongForm("must be a number")
        if make is int and "." in text:
            raise WrongForm("must be a whole number")
        if not least <= float(text) <= most:
            raise WrongForm(f"must be between {least} and {most}")
        return make(float(text))

    return parse


def seconds(text: float) -> timedelta:
    """Make a duration."""
    return timedelta(seconds=text)


def kyc_url(text: str) -> str:
    """Accept https anywhere, http on loopback only; no user, query or fragment."""
    found = _URL.fullmatch(text)
    if found is None or not _is_address(found["host"], found["port"] or "443"):
        raise WrongForm("must be https://host[:port][/path], or http:// on loopback")
    if found["scheme"] == "http" and found["host"] not in _LOOPBACK:
        raise WrongForm("must be https except on loopback")
    return text.rstrip("/")


def _is_address(host: str, port: str) -> bool:
    """Tell whether port and, where it is one, IPv6 address are such."""
    if not 0 < int(port) <= _MOST_PORT:
        return False
    try:
        return not host.startswith("[") or bool(IPv6Address(host[1:-1]))
    except ValueError:
        return False


_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9a-f:]+\])"
    r"(:(?P<port>[0-9]{1,5}))?(/[A-Za-z0-9._~/-]*)?"
)
_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


def profile(text: str) -> Profile:
    """Accept the name of a profile."""
    names = [profile.name.lower() for profile in Profile]
    if text not in names:
        raise WrongForm(f"must be {' or '.join(names)}")
    return Profile[text.upper()]


def card_number(text: str) -> str:
    """Accept how card numbers travel."""
    if text == "sealed":
        raise WrongForm("'sealed' is not part of this release")
    return one_of("masked")(text)
