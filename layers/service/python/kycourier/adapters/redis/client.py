"""Calls Redis with scripts that use its own clock, and repeats calls that failed.

A write may have succeeded although its response was lost. So each write has a unique
`writer`, and its script reports success if the stored record has the same one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from hiredis import ProtocolError

from kycourier.adapters.context import AdapterContext
from kycourier.adapters.redis.connections import (
    ConnectionPool,
    Login,
    Node,
    Value,
    build_tls_context,
)
from kycourier.adapters.redis.errors import CallFailure, RedisError, explain
from kycourier.adapters.redis.keys import find_slot
from kycourier.adapters.redis.urls import RedisUrl
from kycourier.adapters.stores.timestamps import to_instant
from kycourier.adapters.system import SystemRandom
from kycourier.core.errors import KycourierError, StoreUnavailableError
from kycourier.core.redaction import Secret
from kycourier.core.timing import (
    ADAPTER_RESERVE_SECONDS,
    REDIS_CONNECT_SECONDS,
    REDIS_PAUSE_SECONDS,
    REDIS_READ_MIN_SECONDS,
    REDIS_READ_SECONDS,
)

TRIES = 3
MAX_REDIRECTS = 3
MAX_RACES = 5  # lost races between reading a record and writing it
_CLOCK = """
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
"""


class RedisClient:
    """A client of one Redis server or cluster; threads share it."""

    def __init__(
        self,
        address: RedisUrl,
        context: AdapterContext,
        *,
        load_password: Callable[[], Secret] | None,
    ) -> None:
        """Opens no connection yet. Raises StoreUnavailableError for a bad `ca`."""
        self._configured_node, self._db = Node(address.host, address.port), address.db
        self._login = Login(address.user, load_password) if load_password else None
        self._tls_context, self._context = build_tls_context(address), context
        self._random = SystemRandom()
        self._pools: dict[Node, ConnectionPool] = {}
        self._slot_nodes: dict[int, Node] = {}  # learned from redirects

    def run(
        self, script: str, *, keys: Sequence[str] = (), values: Sequence[Value] = ()
    ) -> object:
        """Runs a Lua script, in which `now()` is microseconds since 1970.

        Args:
            script: The script's text.
            keys: Its KEYS, all in one slot; without keys the configured node runs it.
            values: Its ARGV.

        Returns:
            The script's result as Redis sends it: int, bytes, list or None.

        Raises:
            StoreUnavailableError: every attempt failed.
        """
        text = self._with_clock(script)
        key = keys[0] if keys else None
        return self.call("EVAL", text, len(keys), *keys, *values, key=key)

    def call(self, *command: Value, key: str | None) -> object:
        """Sends a command, up to TRIES times, and returns Redis's response.

        Args:
            *command: The command and its arguments.
            key: The key that selects the cluster node; None for the configured node.

        Raises:
            StoreUnavailableError: every attempt failed, or time is short.
        """
        slot = None if key is None else find_slot(key)
        for number in range(1, TRIES + 1):
            if self._context.seconds_left() <= 0:
                raise StoreUnavailableError("no time left")
            try:
                return self._call_node(command, slot)
            except (RedisError, OSError, ProtocolError) as error:
                failure = explain(error)
            except KycourierError as error:
                failure = CallFailure(error.reason or error.code)
            reason = failure.reason
            if not failure.permanent:
                self._reset()
            pause = REDIS_PAUSE_SECONDS * number * (0.5 + self._random.draw())
            needed = pause + REDIS_CONNECT_SECONDS + REDIS_READ_SECONDS
            if (
                not failure.transient
                or number == TRIES
                or self._context.seconds_left() < needed
            ):
                break
            self._context.clock.sleep(pause)
        raise StoreUnavailableError(reason)

    def read_field(self, key: str, field: str) -> bytes | None:
        """Reads a field of a record; None if it is absent. Raises as `call` does."""
        value = self.call("HGET", key, field, key=key)
        return value if isinstance(value, bytes) else None

    def draw_writer(self) -> str:
        """Draws the unique marker of one write."""
        return self._random.nonce()

    def now(self) -> datetime:
        """Returns the server's clock, aware UTC. Raises StoreUnavailableError."""
        return to_utc(self.run("return now()"))

    def _with_clock(self, script: str) -> str:
        return _CLOCK + script

    def _call_node(self, command: Sequence[Value], slot: int | None) -> object:
        """Calls the node of the slot, and follows MOVED redirects."""
        node = self._configured_node
        for _ in range(MAX_REDIRECTS):
            if slot is not None:
                node = self._slot_nodes.get(slot, self._configured_node)
            try:
                return self._pool_of(node).call(command, timeout=self._timeout)
            except RedisError as error:
                if error.moved_to is None:
                    raise
                host, port = error.moved_to
                if slot is not None:
                    self._slot_nodes[slot] = Node(host or node.host, port)
        raise StoreUnavailableError("cluster in motion")

    def _pool_of(self, node: Node) -> ConnectionPool:
        pool = self._pools.get(node)
        if pool is None:
            new = ConnectionPool(
                node, db=self._db, login=self._login, tls_context=self._tls_context
            )
            pool = self._pools.setdefault(node, new)
        return pool

    def _timeout(self) -> float:
        left = self._context.seconds_left() - ADAPTER_RESERVE_SECONDS
        return min(REDIS_READ_SECONDS, max(left, REDIS_READ_MIN_SECONDS))

    def _reset(self) -> None:
        """Drops cached state that may be outdated, and closes all idle connections.

        A node may have become a replica (for a script, Redis 6 has no error code for
        that); the password or the cluster's layout may have changed. What broke one
        connection mostly broke the idle ones too.
        """
        self._slot_nodes = {}
        if self._login is not None:
            self._login.forget()
        for pool in tuple(self._pools.values()):
            pool.close_idle()


def to_utc(ticks: object) -> datetime:
    """Converts a script's time to aware UTC. Raises StoreUnavailableError."""
    if not isinstance(ticks, int):
        raise StoreUnavailableError("unexpected response")
    return to_instant(ticks)
