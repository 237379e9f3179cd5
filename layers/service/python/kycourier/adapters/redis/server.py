"""How Redis is called: in scripts, by its own clock, and again when an answer is lost.

A write may be done though its answer is lost, and is then repeated. So it carries a
`writer` drawn for it alone, and its script takes a record of the same writer for done.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from hiredis import ProtocolError

from kycourier.adapters.instants import to_instant
from kycourier.adapters.redis.address import Address
from kycourier.adapters.redis.connections import (
    CONNECT_SECONDS,
    READ_SECONDS,
    Connections,
    Login,
    Node,
    Value,
    make_trust,
)
from kycourier.adapters.redis.failures import Failure, Refused, explain
from kycourier.adapters.redis.slots import find_slot
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
        self._first, self._db = Node(address.host, address.port), address.db
        self._login = Login(address.user, load_password) if load_password else None
        self._trust, self._around = make_trust(address), around
        self._nonces = SystemNonces()
        self._nodes: dict[Node, Connections] = {}
        self._homes: dict[int, Node] = {}  # slots that another node said it has

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
        slot = None if key is None else find_slot(key)
        for number in range(1, TRIES + 1):
            if self._around.seconds_left() <= 0:
                raise StoreUnavailable("no time left")
            try:
                return self._ask(command, slot)
            except (Refused, OSError, ProtocolError) as error:
                failure = explain(error)
            except KycourierError as error:
                failure = Failure(error.reason or error.code)
            reason = failure.reason
            if not failure.lasts:
                self._start_over()
            pause = PAUSE_SECONDS * number * (0.5 + self._nonces.draw())
            needed = pause + CONNECT_SECONDS + READ_SECONDS
            if (
                not failure.passes
                or number == TRIES
                or self._around.seconds_left() < needed
            ):
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
            except Refused as refusal:
                if refusal.moved_to is None:
                    raise
                host, port = refusal.moved_to
                if slot is not None:
                    self._homes[slot] = Node(host or node.host, port)
        raise StoreUnavailable("cluster in motion")

    def _exchange(self, node: Node, command: Sequence[Value]) -> object:
        connections = self._nodes.get(node)
        if connections is None:
            made = Connections(node, db=self._db, login=self._login, trust=self._trust)
            connections = self._nodes.setdefault(node, made)
        return connections.ask(command, wait=self._wait)

    def _wait(self) -> float:
        left = self._around.seconds_left() - LAST_SECONDS
        return min(READ_SECONDS, max(left, LEAST_WAIT_SECONDS))

    def _start_over(self) -> None:
        """Forget what may have changed; what broke one connection broke the idle ones.

        A node may have become a replica (Redis 6 tells that from within a script by no
        class of its own), a password or the cluster's layout may have changed.
        """
        self._homes = {}
        if self._login is not None:
            self._login.forget()
        for connections in tuple(self._nodes.values()):
            connections.close_idle()


def read_instant(ticks: object) -> datetime:
    """Read an instant of a script's answer: aware UTC. Raises StoreUnavailable."""
    if not isinstance(ticks, int):
        raise StoreUnavailable("unexpected answer")
    return to_instant(ticks)
