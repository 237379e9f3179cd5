"""What each call must say in its query string, checked as strictly as the pages do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl

from kycourier_devkit.sandbox import codes
from kycourier_devkit.sandbox.codes import RefusedError

Profile = Literal["miniprogram", "kyc1"]

VERSION = "1.0.0"
_APP_NAMES: Mapping[Profile, str] = {"miniprogram": "app_id", "kyc1": "appId"}
_ORDER_NO = re.compile(r"[A-Za-z0-9]+")
_ORDER_NO_LENGTH = 32
_NONCE = re.compile(r"[A-Za-z0-9]{32}")
_MOST_PARAMETERS = 50


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
        """List what is signed, the ticket apart; `get_file` is not (1007/37307)."""
        return (self.app_id, self.order_no, VERSION, self.nonce)


def parse_token_call(query: str, *, app_id: str, profile: Profile | None) -> TokenCall:
    """Read a token call, or refuse it with the code of what is wrong."""
    given = _parse_query(query)
    _check_app(_app_of(given, profile), app_id)
    _check_version(_value(given, "version"))
    if _value(given, "grant_type") != "client_credential":
        raise RefusedError(codes.BAD_PARAMETER)
    return TokenCall(_value(given, "secret"))


def parse_ticket_call(
    query: str, *, app_id: str, profile: Profile | None
) -> TicketCall:
    """Read a ticket call, or refuse it with the code of what is wrong."""
    given = _parse_query(query)
    _check_app(_app_of(given, profile), app_id)
    _check_version(_value(given, "version"))
    if _value(given, "type") not in ("SIGN", "NONCE"):
        raise RefusedError(codes.BAD_PARAMETER)
    return TicketCall(_value(given, "access_token"), given["type"])


def parse_result_query(query: str, *, app_id: str) -> ResultQuery:
    """Read an OCR result query, or refuse it with the code of what is wrong.

    A missing app id or version is a rejected signature, says the list of codes.
    """
    given = _parse_query(query)
    if not {"app_id", "version"} <= given.keys():
        raise RefusedError(codes.SIGN_REJECTED)
    _check_app(given["app_id"], app_id)
    _check_version(given["version"])
    _check_order_no(_value(given, "order_no"))
    well_formed = len(_value(given, "get_file")) == 1
    if not (well_formed and _NONCE.fullmatch(_value(given, "nonce"))):
        raise RefusedError(codes.BAD_PARAMETER)
    return ResultQuery(
        app_id,
        given["order_no"],
        given["get_file"] == "1",
        given["nonce"],
        _value(given, "sign"),
    )


def is_order_no(text: str) -> bool:
    """Whether `text` is 1 to 32 letters and digits."""
    return len(text) <= _ORDER_NO_LENGTH and _ORDER_NO.fullmatch(text) is not None


def _parse_query(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            query,
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:
        raise RefusedError(codes.BAD_PARAMETER) from None
    given = dict(pairs)
    if len(given) < len(pairs):
        raise RefusedError(codes.BAD_PARAMETER)
    return given


def _value(given: Mapping[str, str], name: str) -> str:
    if name not in given:
        raise RefusedError(codes.BAD_PARAMETER)
    return given[name]


def _app_of(given: Mapping[str, str], profile: Profile | None) -> str:
    names = [name for name in _APP_NAMES.values() if name in given]
    wanted = _APP_NAMES[profile] if profile else None
    if len(names) != 1 or (wanted and names != [wanted]):
        raise RefusedError(codes.BAD_PARAMETER)
    return given[names[0]]


def _check_app(given: str, app_id: str) -> None:
    if given != app_id:
        raise RefusedError(codes.UNKNOWN_APP)


def _check_version(given: str) -> None:
    if given != VERSION:
        raise RefusedError(codes.BAD_VERSION)


def _check_order_no(given: str) -> None:
    if len(given) > _ORDER_NO_LENGTH:
        raise RefusedError(codes.PARAMETER_TOO_LONG)
    if not is_order_no(given):
        raise RefusedError(codes.BAD_ORDER_NO)
