"""What the settings name: secrets in SSM, never written out, and what SCF reaches."""

import re
from collections.abc import Iterator

from msgspec import Struct

from kycourier.adapters.redis.address import parse_address
from kycourier.adapters.tencent.resources import (
    BUS,
    SECRET,
    VERSION,
    Resource,
    parse_resource,
)
from kycourier.core.errors import SettingError, StoreUnavailable
from kycourier.setting_forms import Place
from kycourier.settings import PREFIX, Settings

REDIS = ("redis", "rediss")
SSM = "tencent-ssm"
_REACHED = {  # what a function on SCF can open, by the setting
    "app_secret": (SSM,),
    "ticket": (SSM, *REDIS),
    "state": REDIS,
    "evidence": ("cos",),
    "events": ("tencent-eb",),
    "fingerprint_key": (SSM,),
    "api_keys": (SSM,),
}
_FOLDER = re.compile(r"[a-z0-9-]{1,50}-[1-9][0-9]{4,11}(/.*)?")


class Reference(Struct, frozen=True):
    """A secret, and what it is for (`app_secret`, `password`, …)."""

    use: str
    at: Resource


class Named(Struct, frozen=True):
    """What the settings name: secrets by the setting, the bus, the bucket."""

    secrets: dict[str, Reference]
    bus: Resource
    bucket: Resource


def find_named(settings: Settings) -> Named:
    """Give what the settings name. Raises SettingError.

    A secret that is written out is refused, as is what SCF cannot reach.
    """
    for setting, schemes in _REACHED.items():
        place: Place | None = getattr(settings, setting)
        if place is not None and place.scheme not in schemes:
            forms = " or ".join(f"{scheme}://" for scheme in schemes)
            raise _wrong(setting, f"must be {forms} on Tencent Cloud")
    bucket = _parse("evidence", settings.evidence, _FOLDER, "bucket-appid/prefix")
    return Named(
        secrets=dict(_find_secrets(settings)),
        bus=_parse("events", settings.events, BUS, "bus-id"),
        bucket=Resource(name=bucket.name.partition("/")[0], region=bucket.region),
    )


def _find_secrets(settings: Settings) -> Iterator[tuple[str, Reference]]:
    for setting in _REACHED:
        place: Place | None = getattr(settings, setting)
        if place is None:
            continue
        if place.scheme == SSM:
            yield setting, Reference(setting, _secret(setting, place))
        elif place.scheme in REDIS:
            password = _find_password(setting, place)
            if password is not None:
                yield setting, Reference("password", _secret(setting, password))


def _find_password(setting: str, place: Place) -> Place | None:
    """Give the reference to a Redis's password."""
    try:
        address = parse_address(place)
    except StoreUnavailable as unusable:
        reason = unusable.reason
    else:
        if address.password is None:
            return address.password_reference
        reason = f"holds a password: refer to it, ?password={SSM}://NAME?region=…"
    raise _wrong(setting, reason)


def _secret(setting: str, place: Place) -> Resource:
    if place.scheme != SSM:
        raise _wrong(setting, f"must refer to {SSM}://")
    return _parse(setting, place, SECRET, "name", VERSION)


def _parse(
    setting: str,
    place: Place | None,
    name: re.Pattern[str],
    form: str,
    version: re.Pattern[str] | None = None,
) -> Resource:
    if place is None:
        raise _wrong(setting, "is not set")
    try:
        return parse_resource(
            place, name=name, form=form, failure=StoreUnavailable, version=version
        )
    except StoreUnavailable as unusable:
        reason = unusable.reason
    raise _wrong(setting, reason)


def _wrong(setting: str, reason: str) -> SettingError:
    return SettingError(PREFIX + setting.upper(), reason)
