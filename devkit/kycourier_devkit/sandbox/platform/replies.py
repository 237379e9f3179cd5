"""Builds the replies to token and ticket calls, and what all replies have."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Literal

from kycourier_devkit.sandbox.platform import result_codes
from kycourier_devkit.sandbox.platform.result_codes import CodeScope

Json = Mapping[str, object]
ExpireIn = Literal["string", "int"]

NONCE_TICKET_SECONDS = 120
_CHINA = timezone(timedelta(hours=8))


def token_reply(
    token: str, *, lifetime_seconds: int, now: float, expire_in: ExpireIn
) -> Json:
    """Returns a token reply (1007/37304).

    As in the documented sample, `expire_time` is the time of the call.
    """
    return {
        **_success_fields(now),
        "access_token": token,
        **_expiry_fields(lifetime_seconds, now=now, expire_in=expire_in),
    }


def ticket_reply(
    ticket: str, *, lifetime_seconds: int, now: float, expire_in: ExpireIn
) -> Json:
    """Returns a ticket reply with one entry (1007/37305)."""
    expiry = _expiry_fields(lifetime_seconds, now=now, expire_in=expire_in)
    return {**_success_fields(now), "tickets": [{"value": ticket, **expiry}]}


def error_reply(code: str, *, now: float, scope: CodeScope) -> Json:
    """Returns the reply to a rejected call, or for a failed recognition."""
    return envelope(code, now=now, scope=scope, number=biz_seq_no(code, now))


def envelope(code: str, *, now: float, scope: CodeScope, number: str) -> Json:
    """Returns the fields of every reply to a result query; `number` is `bizSeqNo`."""
    return {
        "code": code,
        "msg": result_codes.message_for(code, scope),
        "bizSeqNo": number,
        "transactionTime": format_compact(now),
    }


def _success_fields(now: float) -> Json:
    return {
        "code": result_codes.OK,
        "msg": result_codes.message_for(result_codes.OK),
        "transactionTime": format_compact(now),
    }


def _expiry_fields(lifetime_seconds: int, *, now: float, expire_in: ExpireIn) -> Json:
    return {
        "expire_time": format_compact(now),
        "expire_in": (
            lifetime_seconds if expire_in == "int" else str(lifetime_seconds)
        ),
    }


def biz_seq_no(seed: str, now: float) -> str:
    """Returns 32 digits: date, serial number, time, as in the documented sample."""
    serial = int.from_bytes(sha256(seed.encode()).digest()[:8], "big")
    return f"{_china_time(now):%y%m%d}{serial:020}{_china_time(now):%H%M%S}"


def format_compact(at: float) -> str:
    """Returns an instant as `yyyyMMddHHmmss` in UTC+8."""
    return f"{_china_time(at):%Y%m%d%H%M%S}"


def format_spaced(at: float) -> str:
    """Returns an instant as `yyyy-MM-dd HH:mm:ss` in UTC+8."""
    return f"{_china_time(at):%Y-%m-%d %H:%M:%S}"


def _china_time(at: float) -> datetime:
    return datetime.fromtimestamp(at, _CHINA)
