"""Finds the secrets, bus and bucket that the settings name, and refuses others.

A secret must be a reference to SSM, never its value.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from kycourier.adapters.redis.urls import parse_redis_url
from kycourier.adapters.tencent.urls import (
    BUS,
    SECRET,
    VERSION,
    Resource,
    parse_resource,
)
from kycourier.core.errors import SettingError, StoreUnavailableError
from kycourier.settings.declarations import PREFIX
from kycourier.settings.reader import Settings
from kycourier.settings.resource_url import ResourceUrl

REDIS = ("redis", "rediss")
SSM = "tencent-ssm"
_SUPPORTED_SCHEMES = {  # what a function on SCF can open, by setting
    "app_secret": (SSM,),
    "ticket": (SSM, *REDIS),
    "state": REDIS,
    "evidence": ("cos",),
    "events": ("tencent-eb", "https"),
    "webhook_secret": (SSM,),
    "recipient_key": (SSM,),
    "fingerprint_key": (SSM,),
    "api_keys": (SSM,),
}
_FOLDER = re.compile(r"[a-z0-9-]{1,50}-[1-9][0-9]{4,11}(/.*)?")


class SecretReference(Struct, frozen=True):
    """A secret in SSM and its use (`app_secret`, `password`, …)."""

    use: str
    resource: Resource


class References(Struct, frozen=True):
    """Resources that the settings name; secrets by setting. A webhook needs no bus."""

    secrets: dict[str, SecretReference]
    bus: Resource | None
    bucket: Resource


def find_references(settings: Settings) -> References:
    """Returns what the settings name.

    Raises:
        SettingError: A secret's value is in a setting, or SCF cannot open a resource.
    """
    for setting, schemes in _SUPPORTED_SCHEMES.items():
        url: ResourceUrl | None = getattr(settings, setting)
        if url is not None and url.scheme not in schemes:
            forms = " or ".join(f"{scheme}://" for scheme in schemes)
            raise _error(setting, f"must be {forms} on Tencent Cloud")
    events = settings.events
    is_webhook = events is not None and events.is_webhook
    bucket = _parse("evidence", settings.evidence, _FOLDER, "bucket-appid/prefix")
    return References(
        secrets=dict(_find_secrets(settings)),
        bus=None if is_webhook else _parse("events", events, BUS, "bus-id"),
        bucket=Resource(name=bucket.name.partition("/")[0], region=bucket.region),
    )


def _find_secrets(settings: Settings) -> Iterator[tuple[str, SecretReference]]:
    for setting in _SUPPORTED_SCHEMES:
        url: ResourceUrl | None = getattr(settings, setting)
        if url is None:
            continue
        if url.scheme == SSM:
            yield setting, SecretReference(setting, _secret(setting, url))
        elif url.scheme in REDIS:
            password = _find_password(setting, url)
            if password is not None:
                yield setting, SecretReference("password", _secret(setting, password))


def _find_password(setting: str, url: ResourceUrl) -> ResourceUrl | None:
    """Returns the reference to a Redis's password."""
    try:
        address = parse_redis_url(url)
    except StoreUnavailableError as unusable:
        reason = unusable.reason
    else:
        if address.password is None:
            return address.password_reference
        reason = f"holds a password: refer to it, ?password={SSM}://NAME?region=…"
    raise _error(setting, reason)


def _secret(setting: str, url: ResourceUrl) -> Resource:
    if url.scheme != SSM:
        raise _error(setting, f"must refer to {SSM}://")
    return _parse(setting, url, SECRET, "name", VERSION)


def _parse(
    setting: str,
    url: ResourceUrl | None,
    name: re.Pattern[str],
    form: str,
    version: re.Pattern[str] | None = None,
) -> Resource:
    if url is None:
        raise _error(setting, "is not set")
    try:
        return parse_resource(
            url, name=name, form=form, failure=StoreUnavailableError, version=version
        )
    except StoreUnavailableError as unusable:
        reason = unusable.reason
    raise _error(setting, reason)


def _error(setting: str, reason: str) -> SettingError:
    return SettingError(PREFIX + setting.upper(), reason)
