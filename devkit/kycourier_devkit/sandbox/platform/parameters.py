"""Parses the parameters of each call as strictly as the documentation demands.

Token, ticket and bank card are here; the other documents' modules parse their queries
with the same checks.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
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
    """A well-formed result query; `flags` are the parameters that are not signed."""

    app_id: str
    order_no: str
    nonce: str
    sign: str = field(repr=False)
    flags: Mapping[str, str] = field(default_factory=dict)

    @property
    def with_photos(self) -> bool:
        """Whether an OCR query asks for the photos."""
        return self.flags.get("get_file") == "1"

    def signed_values(self) -> tuple[str, ...]:
        """Returns the signed values without the ticket."""
        return (self.app_id, self.order_no, VERSION, self.nonce)


@dataclass(frozen=True)
class SignedNames:
    """How a document's query spells app id and order number.

    `too_long` is the code for an order number of more than 32 characters.
    """

    app_id: str
    order_no: str
    too_long: str


BANK_CARD_NAMES = SignedNames(
    "app_id", "order_no", too_long=result_codes.PARAMETER_TOO_LONG
)


def parse_token_call(query: str, *, app_id: str, profile: Profile | None) -> TokenCall:
    """Parses a token call. Raises PlatformError with the code of the mistake."""
    fields = parse_fields(query)
    _check_app(_parse_app_id(fields, profile), app_id)
    _check_version(value_of(fields, "version"))
    if value_of(fields, "grant_type") != "client_credential":
        raise PlatformError(result_codes.BAD_PARAMETER)
    return TokenCall(value_of(fields, "secret"))


def parse_ticket_call(
    query: str, *, app_id: str, profile: Profile | None
) -> TicketCall:
    """Parses a ticket call. Raises PlatformError with the code of the mistake."""
    fields = parse_fields(query)
    _check_app(_parse_app_id(fields, profile), app_id)
    _check_version(value_of(fields, "version"))
    if value_of(fields, "type") not in ("SIGN", "NONCE"):
        raise PlatformError(result_codes.BAD_PARAMETER)
    return TicketCall(value_of(fields, "access_token"), fields["type"])


def parse_result_query(query: str, *, app_id: str) -> ResultQuery:
    """Parses a bank-card result query (1007/35859).

    Raises:
        PlatformError: With the code of the mistake.
    """
    fields = parse_fields(query)
    parsed = parse_signed(fields, names=BANK_CARD_NAMES, app_id=app_id)
    if len(value_of(fields, "get_file")) != 1:
        raise PlatformError(result_codes.BAD_PARAMETER)
    return replace(parsed, flags={"get_file": fields["get_file"]})


def parse_signed(
    fields: Mapping[str, str], *, names: SignedNames, app_id: str
) -> ResultQuery:
    """Parses the signed parameters of a result query, and its signature.

    Raises:
        PlatformError: With the code of the mistake; for a missing app id or version it
            is that of a rejected signature, as in the list of codes.
    """
    if not {names.app_id, "version"} <= fields.keys():
        raise PlatformError(result_codes.SIGN_REJECTED)
    _check_app(fields[names.app_id], app_id)
    _check_version(fields["version"])
    order_no = value_of(fields, names.order_no)
    if len(order_no) > _ORDER_NO_LENGTH:
        raise PlatformError(names.too_long)
    if not is_order_no(order_no):
        raise PlatformError(result_codes.BAD_ORDER_NO)
    if not _NONCE.fullmatch(value_of(fields, "nonce")):
        raise PlatformError(result_codes.BAD_PARAMETER)
    return ResultQuery(app_id, order_no, fields["nonce"], value_of(fields, "sign"))


def check_known(fields: Iterable[str], known: Collection[str]) -> None:
    """Raises PlatformError for a parameter that the documentation does not have."""
    if not all(name in known for name in fields):
        raise PlatformError(result_codes.BAD_PARAMETER)


def select_flags(
    fields: Mapping[str, str], *, max_lengths: Mapping[str, int]
) -> dict[str, str]:
    """Returns the optional parameters. Raises PlatformError for one that is too long.

    Args:
        fields: The parameters by name.
        max_lengths: The documented lengths by name.
    """
    flags = {name: fields[name] for name in max_lengths if name in fields}
    if any(len(value) > max_lengths[name] for name, value in flags.items()):
        raise PlatformError(result_codes.BAD_PARAMETER)
    return flags


def is_order_no(text: str) -> bool:
    """Returns whether `text` is 1 to 32 letters and digits."""
    return len(text) <= _ORDER_NO_LENGTH and _ORDER_NO.fullmatch(text) is not None


def parse_fields(query: str) -> dict[str, str]:
    """Parses a query string, in which no name may be repeated.

    Raises:
        PlatformError: It is malformed.
    """
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


def value_of(fields: Mapping[str, str], name: str) -> str:
    """Returns a required parameter. Raises PlatformError if it is missing."""
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
