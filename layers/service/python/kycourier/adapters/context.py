"""Defines what an adapter receives from its process when it is opened."""

import math
from collections.abc import Callable, Mapping

from msgspec import Struct

from kycourier.core.redaction import repr_only
from kycourier.ports import Clock


def unlimited() -> float:
    """Returns infinity: the seconds left outside an invocation."""
    return math.inf


@repr_only()  # the environment holds credentials, and secrets of `env:`
class AdapterContext(Struct, frozen=True, kw_only=True, eq=False, weakref=True):
    """Clock, environment and time left of the process.

    `seconds_left` returns what is left of the running invocation, and infinity between
    two invocations. Contexts compare by identity, so that clients can be shared by
    context.
    """

    clock: Clock
    environ: Mapping[str, str]
    seconds_left: Callable[[], float] = unlimited
