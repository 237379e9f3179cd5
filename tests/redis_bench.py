"""What the tests of the Redis adapters share."""

from collections.abc import Callable, Mapping
from functools import cache

import redis

from fakes import FakeClock
from kycourier.adapters.instants import to_ticks
from kycourier.adapters.redis.address import parse_address
from kycourier.adapters.redis.brake import RedisBrakeStore
from kycourier.adapters.redis.leases import RedisLeaseStore
from kycourier.adapters.redis.orders import RedisOrderStore
from kycourier.adapters.redis.server import RedisServer
from kycourier.adapters.redis.tickets import RedisTicketStore
from kycourier.adapters.surroundings import Surroundings, endless
from kycourier.adapters.system import SystemClock
from kycourier.core.hidden import Secret
from kycourier.ports import State
from kycourier.setting_forms import Place


class ServerOnFakeTime(RedisServer):
    """A server whose scripts tell a test's time; in production nothing can do that."""

    def __init__(self, url: str, clock: FakeClock) -> None:
        pauses = FakeClock()  # between two tries: no time passes for the stores
        super().__init__(
            parse_address(place_of(url)), around(pauses), load_password=None
        )
        self._clock = clock

    def _with_clock(self, script: str) -> str:
        microseconds = to_ticks(self._clock.now())
        return f"local function now() return {microseconds} end\n{script}"


def place_of(url: str) -> Place:
    scheme, _, where = url.partition("://")
    return Place(scheme, where)


def around(
    clock: FakeClock | SystemClock | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    seconds_left: Callable[[], float] = endless,
) -> Surroundings:
    return Surroundings(
        clock=clock or SystemClock(), environ=environ or {}, seconds_left=seconds_left
    )


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


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def dump(url: str) -> dict[bytes, object]:
    """Spell out every key, but for what marks a write."""
    client, found = look_into(url), {}
    for key in client.keys():  # noqa: SIM118 - Redis is no mapping
        if client.type(key) == b"hash":
            found[key] = client.hgetall(key)
            found[key].pop(b"writer", None)
        else:
            found[key] = client.zrange(key, 0, -1, withscores=True)
    return found


def stores_of(server: RedisServer) -> State:
    return State(
        tickets=RedisTicketStore(server),
        leases=RedisLeaseStore(server),
        orders=RedisOrderStore(server),
        brakes=RedisBrakeStore(server),
    )
