"""Reads all settings from an environment, and checks them."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any

from msgspec import Struct

from kycourier.core.errors import SettingError
from kycourier.core.wire.requests import Profile
from kycourier.settings.declarations import SETTINGS, Setting
from kycourier.settings.network import check_network
from kycourier.settings.parsers import InvalidSettingError
from kycourier.settings.resource_url import ResourceUrl


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of one function, checked. None: not set, and not required."""

    app_id: str
    app_secret: ResourceUrl | None
    kyc_profile: Profile
    kyc_url: str | None
    ticket: ResourceUrl | None
    state: ResourceUrl
    evidence: ResourceUrl | None
    events: ResourceUrl | None
    webhook_secret: ResourceUrl | None
    queue: ResourceUrl | None
    recipient_key: ResourceUrl | None
    fingerprint_key: ResourceUrl | None
    id_card_sides: str
    face_files: str
    api_auth: str
    api_keys: ResourceUrl | None
    order_ttl_seconds: timedelta
    first_sweep_seconds: timedelta
    photo_patience_seconds: timedelta
    max_in_flight: int
    max_reply_bytes: int
    kyc_timeout_seconds: float

    @property
    def document_options(self) -> Mapping[str, str]:
        """The settings of documents by their names."""
        return {"id_card_sides": self.id_card_sides, "face_files": self.face_files}


def read_settings(environ: Mapping[str, str], *, needs: AbstractSet[str]) -> Settings:
    """Reads all settings.

    Args:
        environ: The environment.
        needs: The names of the settings that must be set.

    Raises:
        SettingError: a setting is missing or wrong, required or not; the error has the
            variable's name and the reason, never its value; also for variables of the
            network that are not heeded.
    """
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text = environ.get(setting.variable) or setting.default
        values[setting.name] = None if text is None else _parse(setting, text)
    if values["ticket"] is not None:
        needs = needs - {"app_secret"}
    if (
        "events" in needs
        and values["events"] is not None
        and values["events"].is_webhook
    ):
        needs = needs | {"webhook_secret"}
    for setting in SETTINGS:
        if setting.name in needs and values[setting.name] is None:
            raise SettingError(setting.variable, "is not set")
    check_network(
        environ,
        kyc_url=values["kyc_url"] or values["kyc_profile"].url,
        schemes=[each.scheme for each in values.values() if _is_url(each)],
    )
    return Settings(**values)


def _is_url(value: object) -> bool:
    return isinstance(value, ResourceUrl)


def _parse(setting: Setting, text: str) -> object:
    try:
        return setting.parse(text)
    except InvalidSettingError as wrong:
        reason = str(wrong)
    raise SettingError(setting.variable, reason)
