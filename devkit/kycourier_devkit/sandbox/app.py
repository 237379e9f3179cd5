"""One app on the platform: its grants, orders, chosen faults and report."""

from collections import deque
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import repeat
from threading import Lock

from kycourier_devkit.sandbox.call_faults import (
    CallKind,
    Fault,
    fault_of,
    kind_of,
    no_fault,
)
from kycourier_devkit.sandbox.cards import card_of, other_number
from kycourier_devkit.sandbox.orders import Behaviour, behaviour_of, good_order
from kycourier_devkit.sandbox.parameters import Profile, ResultQuery, is_order_no
from kycourier_devkit.sandbox.platform import Grant, Lifetimes, Platform
from kycourier_devkit.sandbox.replies import ExpireIn, Visit
from kycourier_devkit.sandbox.report import Report

_MOST_FAULTS = 100_000


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is so from the start; `profile` None takes both names of the app id."""

    app_id: str
    app_secret: str = field(repr=False)
    profile: Profile | None
    lifetimes: Lifetimes
    expire_in: ExpireIn
    token_latency_seconds: float
    query_latency_seconds: float


class App:
    """The state behind the calls; thread-safe.

    `clock` gives epoch seconds, `sleep` takes seconds, `new_value` makes a token.
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
        self.lock = Lock()  # held by whoever touches `platform` or `report`
        self.platform = Platform(
            options.app_secret, lifetimes=options.lifetimes, new_value=new_value
        )
        self.report = Report()
        self._faults: dict[CallKind, deque[Fault]] = {}
        self._behaviours: dict[str, Behaviour] = {}
        self._visits: dict[str, Visit] = {}
        self._nonces: set[tuple[str, str, str]] = set()
        self._signs: set[str] = set()

    def visit(self, query: ResultQuery, *, ticket: Grant) -> tuple[Behaviour, Visit]:
        """Note a signed query of an order: what the order does, and at which visit."""
        now, order_no = self.clock(), query.order_no
        with self.lock:
            nonce = (order_no, ticket.value, query.nonce)
            self.report.repeated_nonces += nonce in self._nonces
            self._nonces.add(nonce)
            self._signs.add(query.sign)
            last = self._visits.get(order_no)
            attempt, first_at = (last.attempt + 1, last.first_at) if last else (1, now)
            visit = Visit(order_no, attempt, first_at, now, query.with_photos)
            self._visits[order_no] = visit
            chosen = self._behaviours.get(order_no)
        return chosen or behaviour_of(order_no) or good_order, visit

    def next_fault(self, kind: CallKind) -> Fault:
        """Take the fault that this call is set to meet, if any."""
        with self.lock:
            waiting = self._faults.get(kind)
            return waiting.popleft() if waiting else no_fault

    def set_fault(self, kind: str, *, fault: str, times: int) -> None:
        """Let the next calls of a kind meet a fault in place of what was set before.

        ValueError for an unknown kind or fault, or `times` beyond 0 to 100000.
        """
        if not 0 <= times <= _MOST_FAULTS:
            raise ValueError("times is not within 0 and 100000")
        call, chosen = kind_of(kind), fault_of(fault)
        with self.lock:
            self._faults[call] = deque(repeat(chosen, times))

    def set_order(self, order_no: str, *, behaviour: str) -> None:
        """Choose what an order number does; ValueError if either is malformed."""
        chosen = behaviour_of(behaviour)
        if chosen is None:
            raise ValueError("no such behaviour")
        if not is_order_no(order_no):
            raise ValueError("order_no is not 1 to 32 letters and digits")
        with self.lock:
            self._behaviours[order_no] = chosen

    def kill_tickets(self) -> None:
        """Revoke every token and ticket at once."""
        with self.lock:
            self.platform.revoke_all(self.clock())

    def change_secret(self, new: str) -> None:
        """Take another app secret, which kills every token and ticket at once."""
        with self.lock:
            self.platform.change_secret(new, now=self.clock())

    def copy_report(self) -> Report:
        """Copy the counts as they are now."""
        with self.lock:
            return deepcopy(self.report)

    def canaries(self) -> frozenset[str]:
        """Gather everything so far that must stay secret, for leak scans.

        App secrets, tokens, tickets, accepted signatures and card numbers.
        """
        with self.lock:
            cards = {card_of(order_no).number for order_no in self._visits}
            cards |= {other_number(order_no) for order_no in self._visits}
            return frozenset({*self.platform.secrets(), *self._signs, *cards})
