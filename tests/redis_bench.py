"""What the tests of the Redis adapters share."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import cache

import redis

from fakes import FakeClock
from kycourier.adapters.redis.address import parse_address
from kycourier.adapters.redis.server import RedisServer
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.system import SystemClock
from kycourier.core.hidden import Secret
from kycourier.setting_forms import Place

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class ServerOnFakeTime(RedisServer):
    """A server whose scripts tell a test's time; in production nothing can do that."""

    def __init__(self, url: str, clock: FakeClock) -> None:
        super().__init__(
            parse_address(place_of(url)), around(clock), load_password=None
        )
        self._clock = clock

    def _with_clock(self, script: str) -> str:
        microseconds = (self._clock.now() - _EPOCH) // timedelta(microseconds=1)
        return f"local function now() return {microseconds} end\n{script}"


def place_of(url: str) -> Place:
    scheme, _, where = url.partition("://")
    return Place(scheme, where)


def around(
    clock: FakeClock | SystemClock | None = None,
    environ: Mapping[str, str] | None = None,
) -> Surroundings:
    return Surroundings(clock=clock or SystemClock(), environ=environ or {})


def open_server(url: str, around: Surroundings) -> RedisServer:
    """Open a server as production does, with its own time."""
    address = parse_address(place_of(url))
    password = address.password or Secret("")
    load = (lambda: password) if password.reveal() else None
    return RedisServer(address, around, load_password=load)


@cache
def look_into(url: str) -> redis.Redis:
    """Make a client of our own, to set the stage and to look at it."""
    return redis.Redis.from_url(url)


def empty(url: str) -> str:
    """Remove every key."""
    look_into(url).flushall()
    return url
