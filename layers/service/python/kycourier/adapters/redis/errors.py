"""Explains failed calls of Redis, and decides whether to repeat them.

Reasons: `denied`, `loading`, `read only`, `out of memory`, `cluster in motion`,
`timeout`, `unreachable`, `certificate or TLS refused`, `unreadable response`, else
Redis's own error code (`WRONGTYPE`).
"""

import re
from ssl import SSLError

from hiredis import ProtocolError
from msgspec import Struct

_CODE = re.compile(r"[A-Z]{2,20}")
_MOVED = re.compile(r"MOVED [0-9]{1,5} (?P<host>[^ ]{0,255}):(?P<port>[0-9]{1,5})")
_FULL = "ERR max number of clients reached"  # this error has no code
_LOGIN = "WRONGPASS"


class RedisError(Exception):
    """An error response of Redis.

    Attributes:
        code: The error's code; the rest of its text is not kept.
        moved_to: Host and port of a MOVED redirect; an empty host means the same one.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        code = text.partition(" ")[0]
        self.code = code if _CODE.fullmatch(code) else "ERR"
        if text.startswith(_FULL):
            self.code = "MAXCLIENTS"
        moved = _MOVED.fullmatch(text)
        self.moved_to = (moved["host"], int(moved["port"])) if moved else None

    def as_login_error(self) -> "RedisError":
        """Returns the error as a response to AUTH, where ERR means a wrong password."""
        return RedisError(_LOGIN) if self.code == "ERR" else self


class CallFailure(Struct, frozen=True):
    """Why a call failed.

    Attributes:
        reason: The reason, in our words.
        transient: Whether the call may succeed a moment later, on a new connection or
            with a new password.
        permanent: Whether it fails on any connection, so that none need be replaced.
    """

    reason: str
    transient: bool = False
    permanent: bool = False


_DENIED = CallFailure("denied", transient=True)
_CLUSTER_CHANGING = CallFailure("cluster in motion", transient=True)
_UNREACHABLE = CallFailure("unreachable", transient=True)
_BY_CODE = {
    "NOAUTH": _DENIED,
    _LOGIN: _DENIED,
    "NOPERM": CallFailure("denied", permanent=True),
    "LOADING": CallFailure("loading", transient=True),
    "READONLY": CallFailure("read only", transient=True),
    "OOM": CallFailure("out of memory", permanent=True),
    "TRYAGAIN": _CLUSTER_CHANGING,
    "CLUSTERDOWN": _CLUSTER_CHANGING,
    "MASTERDOWN": _CLUSTER_CHANGING,
    "ASK": CallFailure("cluster in motion"),
    "MOVED": CallFailure("cluster in motion"),
    "MAXCLIENTS": _UNREACHABLE,
}


def explain(error: RedisError | OSError | ProtocolError) -> CallFailure:
    """Returns why a call failed, by the error's class or Redis's error code."""
    if isinstance(error, RedisError):
        return _BY_CODE.get(error.code) or CallFailure(error.code)
    if isinstance(error, ProtocolError):
        return CallFailure("unreadable response")
    if isinstance(error, TimeoutError):
        return CallFailure("timeout", transient=True)
    if isinstance(error, SSLError):
        return CallFailure("certificate or TLS refused", transient=True)
    return _UNREACHABLE
