"""What an adapter may need of the process around it when it is opened."""

import math
from collections.abc import Callable, Mapping

from msgspec import Struct

from kycourier.core.hidden import shows
from kycourier.ports import Clock


def endless() -> float:
    """Give the seconds that are left where nobody counts them."""
    return math.inf


@shows()  # the environment holds credentials, and secrets of `env:`
class Surroundings(Struct, frozen=True, kw_only=True, eq=False, weakref=True):
    """`seconds_left` is the running invocation's time, endless between two.

    Compared by identity, so that what is made once per process may be kept by it.
    """

    clock: Clock
    environ: Mapping[str, str]
    seconds_left: Callable[[], float] = endless
