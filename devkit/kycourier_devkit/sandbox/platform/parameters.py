"""Parses the query string of each call as strictly as the documentation demands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl

from kycourier_devkit.sandbox.platform import result_codes
from kycourier_devkit.sandbox.platform.result_codes import PlatformError

Profile = Literal["miniprogram", "kyc1"]

VERSION = "1.0.0"
_APP_NAMES: Mapping[Profile, str] = {"miniprogram": "app_id", "kyc1": "appId"}
_ORDER_NO = re.compile(r"[A-Za-z0-9]+")
_ORDER_NO_LENGTH = 32
_NONCE = re.compile(r"[A-Za-z0-9]{32}")
_MAX_PARAMETERS = 50


@dataclass(frozen=True)
class TokenCall:
    """A well-formed token call (1007/37304)."""

    secret: str = field(repr=False)


@dataclass(frozen=True)
class TicketCall:
    """A well-formed ticket call (1007/37305, 57613)."""

    access_token: str = field(repr=False)
    type: str


@dataclass(frozen=True)
class ResultQuery:
    """A well-formed OCR result query (1007/35859)."""

    app_id: str
    order_no: str
    with_photos: bool
    nonce: str
    sign: str = field(repr=False)

    def signed_values(self) -> tuple[str, ...]:
        """Returns the signed values without the ticket; `get_file` is not signed."""
        return (self.app_id, self.order_no, VERSION, self.nonce)


def parse_token_call(query: str, *, app_id: str, profile: Profile | None) -> TokenCall:
    """Parses a token call. Raises PlatformError with the code of the mistake."""
    fields = _parse_query(query)
    _check_app(_parse_app_id(fields, profile), app_id)
    _check_version(_value(fields, "version"))
    if _value(fields, "grant_type") != "client_credential":
        raise PlatformError(result_codes.BAD_PARAMETER)
    return TokenCall(_value(fields, "secret"))


def parse_ticket_call(
    query: str, *, app_id: str, profile: Profile | None
) -> TicketCall:
    """Parses a ticket call. Raises PlatformError with the code of the mistake."""
    fields = _parse_query(query)
    _check_app(_parse_app_id(fields, profile), app_id)
    _check_version(_value(fields, "version"))
    if _value(fields, "type") not in ("SIGN", "NONCE"):
        raise PlatformError(result_codes.BAD_PARAMETER)
    return TicketCall(_value(fields, "access_token"), fields["type"])


def parse_result_query(query: str, *, app_id: str) -> ResultQuery:
    """Parses an OCR result query.

    Raises:
        PlatformError: With the code of the mistake; for a missing app id or version it
            is that of a rejected signature, as in the list of codes.
    """
    fields = _parse_query(query)
    if not {"app_id", "version"} <= fields.keys():
        raise PlatformError(result_codes.SIGN_REJECTED)
    _check_app(fields["app_id"], app_id)
    _check_version(fields["version"])
    _check_order_no(_value(fields, "order_no"))
    well_formed = len(_value(fields, "get_file")) == 1
    if not (well_formed and _NONCE.fullmatch(_value(fields, "nonce"))):
        raise PlatformError(result_codes.BAD_PARAMETER)
    return ResultQuery(
        app_id,
        fields["order_no"],
        fields["get_file"] == "1",
        fields["nonce"],
        _value(fields, "sign"),
    )


def is_order_no(text: str) -> bool:
    """Returns whether `text` is 1 to 32 letters and digits."""
    return len(text) <= _ORDER_NO_LENGTH and _ORDER_NO.fullmatch(text) is not None


def _parse_query(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            query,
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError:
        raise PlatformError(result_codes.BAD_PARAMETER) from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise PlatformError(result_codes.BAD_PARAMETER)
    return fields


def _value(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise PlatformError(result_codes.BAD_PARAMETER)
    return fields[name]


def _parse_app_id(fields: Mapping[str, str], profile: Profile | None) -> str:
    names = [name for name in _APP_NAMES.values() if name in fields]
    expected = _APP_NAMES[profile] if profile else None
    if len(names) != 1 or (expected and names != [expected]):
        raise PlatformError(result_codes.BAD_PARAMETER)
    return fields[names[0]]


def _check_app(text: str, app_id: str) -> None:
    if text != app_id:
        raise PlatformError(result_codes.UNKNOWN_APP)


def _check_version(text: str) -> None:
    if text != VERSION:
        raise PlatformError(result_codes.BAD_VERSION)


def _check_order_no(text: str) -> None:
    if len(text) > _ORDER_NO_LENGTH:
        raise PlatformError(result_codes.PARAMETER_TOO_LONG)
    if not is_order_no(text):
        raise PlatformError(result_codes.BAD_ORDER_NO)
