"""How Redis is called: in scripts, by its own clock, and again when an answer is lost.

A write may be done though its answer is lost, and is then repeated. So it carries a
`writer` drawn for it alone, and its script takes a record of the same writer for done.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from ssl import SSLError

from msgspec import Struct
from redis import exceptions as theirs
from redis.connection import ConnectionPool
from redis.crc import key_slot

from kycourier.adapters.instants import to_instant
from kycourier.adapters.redis.address import Address
from kycourier.adapters.redis.connections import (
    CONNECT_SECONDS,
    READ_SECONDS,
    Login,
    make_pool,
    make_trust,
)
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.system import SystemNonces
from kycourier.core.errors import KycourierError, StoreUnavailable
from kycourier.core.hidden import Secret

TRIES = 3
PAUSE_SECONDS = 0.05  # before the second try; twice that before the third
MOST_MOVES = 3
MOST_RACES = 5  # lost between reading a record and writing it
LAST_SECONDS = 0.5  # of an invocation: not waited into, for a handler must answer
LEAST_WAIT_SECONDS = 0.1
_CLOCK = """
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
"""
_DENIED = (
    theirs.AuthenticationError,
    theirs.AuthorizationError,
    theirs.NoPermissionError,
)
_PASSING = (  # a fresh connection or a moment may mend it, a new password too
    theirs.ConnectionError,
    theirs.TimeoutError,
    theirs.ReadOnlyError,
    theirs.ClusterError,
    theirs.TryAgainError,
    OSError,
)
_LASTING = (theirs.NoPermissionError, theirs.OutOfMemoryError)  # on any connection
_REASONS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (_DENIED, "denied"),
    (theirs.BusyLoadingError, "loading"),
    (theirs.ReadOnlyError, "read only"),
    (theirs.OutOfMemoryError, "out of memory"),
    ((theirs.TimeoutError, TimeoutError), "timeout"),
    ((theirs.ClusterError, theirs.TryAgainError, theirs.AskError), "cluster in motion"),
    ((theirs.ConnectionError, OSError), "unreachable"),
)

Value = str | bytes | int


class _Node(Struct, frozen=True):
    host: str
    port: int


class RedisServer:
    """A Redis, or a cluster of them; threads share it."""

    def __init__(
        self,
        address: Address,
        around: Surroundings,
        *,
        load_password: Callable[[], Secret] | None,
    ) -> None:
        """Open no connection yet. Raises StoreUnavailable for a wrong `ca`."""
        self._first, self._db = _Node(address.host, address.port), address.db
        self._login = Login(address.user, load_password) if load_password else None
        self._trust, self._around = make_trust(address), around
        self._nonces = SystemNonces()
        self._pools: dict[_Node, ConnectionPool] = {}
        self._homes: dict[int, _Node] = {}  # slots that another node said it has

    def run(
        self, script: str, *, keys: Sequence[str] = (), values: Sequence[Value] = ()
    ) -> object:
        """Run a script; `now()` in it is microseconds since 1970. Raises as `call`.

        Keys lie in one slot; without any, the first node answers.
        """
        text = self._with_clock(script)
        key = keys[0] if keys else None
        return self.call("EVAL", text, len(keys), *keys, *values, key=key)

    def call(self, *command: Value, key: str | None) -> object:
        """Give the answer to a command, as Redis sends it. Raises StoreUnavailable."""
        slot = None if key is None else key_slot(key.encode())
        for number in range(1, TRIES + 1):
            if self._around.seconds_left() <= 0:
                raise StoreUnavailable("no time left")
            try:
                return self._ask(command, slot)
            except (theirs.RedisError, OSError) as error:
                reason, passing = _reason(error), isinstance(error, _PASSING)
                lasting = isinstance(error, _LASTING)
            except KycourierError as error:
                reason, passing, lasting = error.reason or error.code, False, False
            if not lasting:
                self._start_over()
            pause = PAUSE_SECONDS * number * (0.5 + self._nonces.draw())
            needed = pause + CONNECT_SECONDS + READ_SECONDS
            if not passing or number == TRIES or self._around.seconds_left() < needed:
                break
            self._around.clock.sleep(pause)
        raise StoreUnavailable(reason)

    def read_field(self, key: str, field: str) -> bytes | None:
        """Read a field of a record; None when it is not there. Raises as `call`."""
        answer = self.call("HGET", key, field, key=key)
        return answer if isinstance(answer, bytes) else None

    def draw_writer(self) -> str:
        """Draw what marks one write."""
        return self._nonces.nonce()

    def now(self) -> datetime:
        """Tell the server's clock, aware UTC. Raises StoreUnavailable."""
        return read_instant(self.run("return now()"))

    def _with_clock(self, script: str) -> str:
        return _CLOCK + script

    def _ask(self, command: Sequence[Value], slot: int | None) -> object:
        """Ask the node that has the slot, following its word that it moved."""
        node = self._first
        for _ in range(MOST_MOVES):
            if slot is not None:
                node = self._homes.get(slot, self._first)
            try:
                return self._exchange(node, command)
            except theirs.MovedError as moved:
                if slot is not None:
                    self._homes[slot] = _Node(moved.host or node.host, moved.port)
        raise StoreUnavailable("cluster in motion")

    def _exchange(self, node: _Node, command: Sequence[Value]) -> object:
        pool = self._pools.get(node)
        if pool is None:
            made = make_pool(
                node.host, node.port, db=self._db, login=self._login, trust=self._trust
            )
            pool = self._pools.setdefault(node, made)
        connection = pool.get_connection()
        try:
            connection.send_command(*command)
            left = self._around.seconds_left() - LAST_SECONDS
            wait = min(READ_SECONDS, max(left, LEAST_WAIT_SECONDS))
            return connection.read_response(timeout=wait)
        finally:
            pool.release(connection)

    def _start_over(self) -> None:
        """Forget what may have changed; what broke one connection broke the idle ones.

        A node may have become a replica (Redis 6 tells that from within a script by no
        class of its own), a password or the cluster's layout may have changed.
        """
        self._homes = {}
        if self._login is not None:
            self._login.forget()
        for pool in tuple(self._pools.values()):
            pool.disconnect(inuse_connections=False)


def read_instant(ticks: object) -> datetime:
    """Read an instant of a script's answer: aware UTC. Raises StoreUnavailable."""
    if not isinstance(ticks, int):
        raise StoreUnavailable("unexpected answer")
    return to_instant(ticks)


def _reason(error: Exception) -> str:
    """Say in our words what an error's class says."""
    if isinstance(error.__context__, SSLError):
        return "certificate or TLS refused"
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return reason
    return type(error).__name__
