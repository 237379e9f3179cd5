"""A filled store, asked as workers and the sweep do, as often as one likes."""

from collections.abc import Callable, Mapping
from itertools import cycle

from bench.environments import APP_ID
from bench.filling.orders import (
    DUE_AT,
    LEASE,
    SHARES,
    draft_order,
    name_order,
    put_back,
)
from bench.processes import BenchFailed
from kycourier.adapters import places
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.system import SystemClock
from kycourier.core.models import OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord
from kycourier.ports import Cursor, Page
from kycourier.setting_forms import Place
from kycourier.usecases.sweep_orders import PAGE

_STEP = 7  # so that neighbours are not asked for one after the other


class Asked:
    """A store of `size` orders; an operation leaves it as it was to be asked again."""

    def __init__(self, place: Place, environ: Mapping[str, str], *, size: int) -> None:
        """Open it as a function does. Raises BenchFailed when it is not filled."""
        around = Surroundings(clock=SystemClock(), environ=environ)
        self._orders = places.open_state(place, around).orders
        last = OrderKey(APP_ID, name_order(size - 1))
        if self._orders.load(last) is None:
            raise BenchFailed(f"a store of {size} orders was not filled")
        due = range(DUE_AT, size, SHARES)
        order = sorted(range(len(due)), key=lambda at: (at % _STEP, at))
        self._numbers = cycle([due[at] for at in order])
        self._claimed: list[OrderRecord] = []

    @property
    def operations(self) -> Mapping[str, Callable[[], object]]:
        """Give what is measured, by its name."""
        return {
            "claim": self.claim,
            "commit": self.commit,
            "due": self.due,
            "unsent": self.unsent,
            "sweep page": self.sweep_page,
        }

    def claim(self) -> None:
        """Take an order that is due."""
        self._claim(draft_order(next(self._numbers), now=self._orders.now()))

    def commit(self) -> None:
        """End the attempt at an order that was claimed; it is due again."""
        record = self._claimed.pop()
        changed = put_back(record, now=self._orders.now())
        self._orders.commit(changed, expected=record)

    def due(self, after: Cursor | None = None) -> Page:
        """Read a page of the due orders."""
        return _full(self._orders.due(APP_ID, limit=PAGE, after=after))

    def unsent(self, after: Cursor | None = None) -> Page:
        """Read a page of the orders whose events are to be sent."""
        return _full(self._orders.unsent(APP_ID, limit=PAGE, after=after))

    def sweep_page(self) -> None:
        """Read both lists' second page, and claim and put back its due orders."""
        self.unsent(self._second_unsent)
        for record in self.due(self._second_due).records:
            self._claim(record)
            self.commit()

    def find_second_pages(self) -> None:
        """Note where the second pages begin."""
        self._second_due, self._second_unsent = self.due().next, self.unsent().next

    def _claim(self, draft: OrderRecord) -> None:
        claim = self._orders.claim(
            draft,
            owner="o" * 32,
            lease=LEASE,
            urgency=Urgency.NOW,
            folder=f"2026/11/30/{'f' * 32}",
        )
        if not claim.granted:
            raise BenchFailed("an order could not be claimed")
        self._claimed.append(claim.record)


def _full(page: Page) -> Page:
    if len(page.records) < PAGE:
        raise BenchFailed("a page has not the rows that are due")
    return page
