"""What becomes of calls of Redis that are not done: why, and whether to try again.

Reasons: `denied`, `loading`, `read only`, `out of memory`, `cluster in motion`,
`timeout`, `unreachable`, `certificate or TLS refused`, `unreadable answer`, else the
word that Redis has for it (`WRONGTYPE`).
"""

import re
from ssl import SSLError

from hiredis import ProtocolError
from msgspec import Struct

_WORD = re.compile(r"[A-Z]{2,20}")
_MOVED = re.compile(r"MOVED [0-9]{1,5} (?P<host>[^ ]{0,255}):(?P<port>[0-9]{1,5})")
_FULL = "ERR max number of clients reached"  # Redis has no word for it
_LOGIN = "WRONGPASS"


class Refused(Exception):  # noqa: N818 - reads as a fact
    """An answer of Redis's that is an error: its word, and nothing else of its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        word = text.partition(" ")[0]
        self.word = word if _WORD.fullmatch(word) else "ERR"
        if text.startswith(_FULL):
            self.word = "MAXCLIENTS"
        moved = _MOVED.fullmatch(text)
        self.moved_to = (moved["host"], int(moved["port"])) if moved else None

    def of_login(self) -> "Refused":
        """Give what this means as the answer to a password."""
        return Refused(_LOGIN) if self.word == "ERR" else self


class Failure(Struct, frozen=True):
    """Why a call was not done.

    One that `passes` may go through a moment later or on a fresh connection, with a new
    password too; one that `lasts` is the same on any connection.
    """

    reason: str
    passes: bool = False
    lasts: bool = False


_DENIED = Failure("denied", passes=True)
_IN_MOTION = Failure("cluster in motion", passes=True)
_UNREACHABLE = Failure("unreachable", passes=True)
_REFUSALS = {
    "NOAUTH": _DENIED,
    _LOGIN: _DENIED,
    "NOPERM": Failure("denied", lasts=True),
    "LOADING": Failure("loading", passes=True),
    "READONLY": Failure("read only", passes=True),
    "OOM": Failure("out of memory", lasts=True),
    "TRYAGAIN": _IN_MOTION,
    "CLUSTERDOWN": _IN_MOTION,
    "MASTERDOWN": _IN_MOTION,
    "ASK": Failure("cluster in motion"),
    "MOVED": Failure("cluster in motion"),
    "MAXCLIENTS": _UNREACHABLE,
}


def explain(error: Refused | OSError | ProtocolError) -> Failure:
    """Say in our words what happened, by the error's class or Redis's word."""
    if isinstance(error, Refused):
        return _REFUSALS.get(error.word) or Failure(error.word)
    if isinstance(error, ProtocolError):
        return Failure("unreadable answer")
    if isinstance(error, TimeoutError):
        return Failure("timeout", passes=True)
    if isinstance(error, SSLError):
        return Failure("certificate or TLS refused", passes=True)
    return _UNREACHABLE
