"""Parses the values of settings; errors never repeat the value."""

import re
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv6Address
from typing import Any

from kycourier.core.wire.requests import Profile
from kycourier.settings.resource_url import ResourceUrl, split_member

_MAX_PORT = 65535
_REDIS = {"redis", "rediss"}
SECRET_FORMS = (
    "env:NAME",
    "file:///path",
    "aws-secretsmanager://name",
    "aws-ssm://name",
    "tencent-ssm://name?region=…",
)


class InvalidSettingError(Exception):
    """Why a value is wrong, in words that do not repeat it."""


def pattern(expression: str, meaning: str) -> Callable[[str], str]:
    """Accepts text that matches completely; `meaning` describes it in errors."""

    def parse(text: str) -> str:
        if not re.fullmatch(expression, text):
            raise InvalidSettingError(f"must be {meaning}")
        return text

    return parse


def one_of(*names: str) -> Callable[[str], str]:
    """Accepts one of a few words."""
    return pattern("|".join(names), " or ".join(names))


def resource_url(
    *forms: str, word: str | None = None
) -> Callable[[str], ResourceUrl | None]:
    """Accepts a URL in one of `forms` (`scheme://…`), or `word`, which becomes None."""
    schemes = [form.partition(":")[0] for form in forms]
    keyed = any("#" in form for form in forms)
    known = " or ".join([word, *forms] if word else forms)
    secrets = schemes if set(SECRET_FORMS) <= set(forms) else []

    def parse(text: str) -> ResourceUrl | None:
        if word and text == word:
            return None
        scheme, _, rest = text.partition("://")
        if text.startswith("env:"):
            scheme, rest = "env", text[len("env:") :]
        if scheme not in schemes or not rest or not rest.isprintable():
            raise InvalidSettingError(f"must be {known}")
        if scheme == "file" and not rest.startswith("/"):
            raise InvalidSettingError("must be an absolute path: file:///…")
        if scheme == "sqlite" and not re.fullmatch("//?[^/].*", rest):
            raise InvalidSettingError("must name a file: sqlite:///path")
        if scheme in _REDIS:
            _check_key(rest, wanted=keyed)
        if scheme in secrets:
            return ResourceUrl(scheme, *split_member(rest))
        return ResourceUrl(scheme, rest)

    return parse


def _check_key(rest: str, *, wanted: bool) -> None:
    """Refuses a Redis URL that lacks the key it needs, or has one it does not need."""
    _, mark, key = rest.partition("#")
    if wanted and not key:
        raise InvalidSettingError("must name a key: redis[s]://…#key")
    if mark and not wanted:
        raise InvalidSettingError("must name no key; a # in a password is written %23")


secret_reference = resource_url(*SECRET_FORMS)


def number(
    minimum: float, maximum: float, make: Callable[[float], Any] = int
) -> Callable[[str], Any]:
    """Accepts a number between two bounds, converted by `make`; an `int` is whole."""

    def parse(text: str) -> Any:  # noqa: ANN401 - as `make` says
        if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,3})?", text):
            raise InvalidSettingError("must be a number")
        if make is int and "." in text:
            raise InvalidSettingError("must be a whole number")
        if not minimum <= float(text) <= maximum:
            raise InvalidSettingError(f"must be between {minimum} and {maximum}")
        return make(float(text))

    return parse


def seconds(text: float) -> timedelta:
    """Converts seconds to a duration."""
    return timedelta(seconds=text)


def kyc_url(text: str) -> str:
    """Accepts https anywhere, http on loopback only; no user, query or fragment."""
    found = _URL.fullmatch(text)
    if found is None or not _is_address(found["host"], found["port"] or "443"):
        raise InvalidSettingError(
            "must be https://host[:port][/path], or http:// on loopback"
        )
    if found["scheme"] == "http" and found["host"] not in _LOOPBACK:
        raise InvalidSettingError("must be https except on loopback")
    return text.rstrip("/")


def receiver_url(text: str) -> str:
    """Accepts https anywhere, http on loopback only; no user or fragment."""
    origin = _ORIGIN.match(text)
    end = origin.end() if origin else 0
    kyc_url(text[:end])
    if not _TARGET.fullmatch(text[end:]):
        raise InvalidSettingError("must have an encoded path and query, no fragment")
    return text


def events_url(*forms: str) -> Callable[[str], ResourceUrl | None]:
    """Accepts a receiver's URL, or a URL in one of `forms`."""
    parse_other = resource_url("https://…", *forms)

    def parse(text: str) -> ResourceUrl | None:
        scheme, _, rest = text.partition("://")
        if scheme not in {"http", "https"}:
            return parse_other(text)
        return ResourceUrl(scheme, receiver_url(text) and rest)

    return parse


def _is_address(host: str, port: str) -> bool:
    """Checks the port and, if the host is one, the IPv6 address."""
    if not 0 < int(port) <= _MAX_PORT:
        return False
    try:
        return not host.startswith("[") or bool(IPv6Address(host[1:-1]))
    except ValueError:
        return False


_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9a-f:]+\])"
    r"(:(?P<port>[0-9]{1,5}))?(/[A-Za-z0-9._~/-]*)?"
)
_ORIGIN = re.compile("[^/]*//[^/?]*")
_TARGET = re.compile(r"([/?]([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?")
_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


def profile(text: str) -> Profile:
    """Accepts the name of a profile."""
    names = [profile.name.lower() for profile in Profile]
    if text not in names:
        raise InvalidSettingError(f"must be {' or '.join(names)}")
    return Profile[text.upper()]
