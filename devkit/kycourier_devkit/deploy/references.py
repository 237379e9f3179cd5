"""Secrets that the settings refer to: named in SSM, never written out."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from kycourier.adapters.redis.address import parse_address
from kycourier.core.errors import SettingError, StoreUnavailable
from kycourier.setting_forms import Place
from kycourier.settings import Settings

REDIS = ("redis", "rediss")
SSM = "tencent-ssm"
_REFERENCE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9_-]{0,127})(\?region=(?P<region>[a-z0-9-]+))?"
)
_REACHED = {  # what a function on SCF can open, by the setting
    "app_secret": (SSM,),
    "ticket": (SSM, *REDIS),
    "state": REDIS,
    "evidence": ("cos",),
    "events": ("tencent-eb",),
    "fingerprint_key": (SSM,),
    "api_keys": (SSM,),
}


class Reference(Struct, frozen=True):
    """A secret's name and region, and what it is for (`app_secret`, `password`, …)."""

    use: str
    name: str
    region: str | None


def find_references(settings: Settings) -> Iterator[tuple[str, Reference]]:
    """Give each setting's secret, by the setting's name. Raises SettingError.

    A secret that is written out is refused, as is what SCF cannot reach.
    """
    for setting, schemes in _REACHED.items():
        place: Place | None = getattr(settings, setting)
        if place is None:
            continue
        if place.scheme not in schemes:
            forms = " or ".join(f"{scheme}://" for scheme in schemes)
            raise _wrong(setting, f"must be {forms} on Tencent Cloud")
        if place.scheme == SSM:
            yield setting, _read(setting, setting, place)
        elif place.scheme in REDIS:
            password = _find_password(setting, place)
            if password is not None:
                yield setting, _read(setting, "password", password)


def _find_password(setting: str, place: Place) -> Place | None:
    """Give the reference to a Redis's password."""
    try:
        address = parse_address(place)
    except StoreUnavailable as unusable:
        reason = unusable.reason
    else:
        if address.password is None:
            return address.password_reference
        reason = f"holds a password: refer to it, ?password={SSM}://NAME"
    raise _wrong(setting, reason)


def _read(setting: str, use: str, place: Place) -> Reference:
    found = _REFERENCE.fullmatch(place.where)
    if place.scheme != SSM or found is None:
        raise _wrong(setting, f"must refer to {SSM}://NAME?region=…")
    return Reference(use, found["name"], found["region"])


def _wrong(setting: str, reason: str) -> SettingError:
    return SettingError(f"KYCOURIER_{setting.upper()}", reason)


def parameter(place: Place, name: str) -> str | None:
    """Give a parameter of a place's URL."""
    pairs = (pair.partition("=") for pair in place.where.partition("?")[2].split("&"))
    found: Mapping[str, str] = {key: value for key, _, value in pairs}
    return found.get(name)
