"""Holds the state of the emulated app: grants, order queries, faults and report."""

from collections import deque
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import repeat
from threading import Lock

from kycourier_devkit.sandbox.behaviours.call_faults import (
    CallKind,
    Fault,
    no_fault,
    parse_fault,
    parse_kind,
)
from kycourier_devkit.sandbox.behaviours.magic_orders import (
    find_behaviour,
    is_behaviour,
)
from kycourier_devkit.sandbox.behaviours.order_actions import (
    OrderBehaviour,
    complete_result,
)
from kycourier_devkit.sandbox.platform.parameters import (
    Profile,
    ResultQuery,
    is_order_no,
)
from kycourier_devkit.sandbox.platform.replies import ExpireIn
from kycourier_devkit.sandbox.platform.tokens import Grant, Lifetimes, TokenService
from kycourier_devkit.sandbox.report import Report
from kycourier_devkit.sandbox.results.document import Document, OrderQuery

_MAX_FAULTS = 100_000


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options that do not change; profile None accepts both names of the app id."""

    app_id: str
    app_secret: str = field(repr=False)
    profile: Profile | None
    lifetimes: Lifetimes
    expire_in: ExpireIn
    token_latency_seconds: float
    query_latency_seconds: float


class App:
    """The state behind the calls; thread-safe.

    Args:
        options: The fixed options.
        clock: Returns epoch seconds.
        sleep: Waits for seconds.
        new_value: Generates a token or ticket.
    """

    def __init__(
        self,
        options: Options,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        new_value: Callable[[], str],
    ) -> None:
        self.options = options
        self.clock = clock
        self.sleep = sleep
        self.lock = Lock()  # guards `tokens` and `report`
        self.tokens = TokenService(
            options.app_secret, lifetimes=options.lifetimes, new_value=new_value
        )
        self.report = Report()
        self._faults: dict[CallKind, deque[Fault]] = {}
        self._behaviours: dict[str, str] = {}  # by order number
        self._queries: dict[tuple[Document, str], OrderQuery] = {}
        self._random: set[tuple[str, str, str]] = set()
        self._signs: set[str] = set()

    def record_query(
        self, document: Document, request: ResultQuery, *, ticket: Grant
    ) -> tuple[OrderBehaviour, OrderQuery]:
        """Records a signed query. Returns the order's behaviour, and the query."""
        now, order_no = self.clock(), request.order_no
        with self.lock:
            nonce = (order_no, ticket.value, request.nonce)
            self.report.repeated_nonces += nonce in self._random
            self._random.add(nonce)
            self._signs.add(request.sign)
            last = self._queries.get((document, order_no))
            number, first_at = (last.number + 1, last.first_at) if last else (1, now)
            recorded = OrderQuery(document, request, number, first_at, now)
            self._queries[document, order_no] = recorded
            spelling = self._behaviours.get(order_no, order_no)
        return find_behaviour(spelling, document) or complete_result, recorded

    def next_fault(self, kind: CallKind) -> Fault:
        """Removes and returns the fault of the next call of a kind."""
        with self.lock:
            faults = self._faults.get(kind)
            return faults.popleft() if faults else no_fault

    def set_fault(self, kind: str, *, fault: str, times: int) -> None:
        """Applies a fault to the next calls of a kind, instead of an earlier one.

        Raises:
            ValueError: Kind or fault is unknown, or `times` not within 0 to 100000.
        """
        if not 0 <= times <= _MAX_FAULTS:
            raise ValueError("times is not within 0 and 100000")
        call, chosen = parse_kind(kind), parse_fault(fault)
        with self.lock:
            self._faults[call] = deque(repeat(chosen, times))

    def set_order(self, order_no: str, *, behaviour: str) -> None:
        """Chooses the behaviour of an order number. Raises ValueError."""
        if not is_behaviour(behaviour):
            raise ValueError("no such behaviour")
        if not is_order_no(order_no):
            raise ValueError("order_no is not 1 to 32 letters and digits")
        with self.lock:
            self._behaviours[order_no] = behaviour

    def kill_tickets(self) -> None:
        """Revokes every token and ticket."""
        with self.lock:
            self.tokens.revoke_all(self.clock())

    def change_secret(self, new: str) -> None:
        """Changes the app secret, which revokes every token and ticket."""
        with self.lock:
            self.tokens.change_secret(new, now=self.clock())

    def copy_report(self) -> Report:
        """Returns a copy of the counts."""
        with self.lock:
            return deepcopy(self.report)

    def canaries(self) -> frozenset[str]:
        """Returns all secret values so far, for leak scans.

        These are app secrets, tokens, tickets, accepted signatures, and the personal
        values of the queried orders: card numbers, names, ID numbers, addresses.
        """
        with self.lock:
            personal: set[str] = set()
            for document, order_no in self._queries:
                personal.update(document.secrets(order_no))
            return frozenset({*self.tokens.secrets(), *self._signs, *personal})
