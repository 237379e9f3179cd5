"""Operations of workers and the sweep on a filled store, repeatable at will."""

from collections.abc import Callable, Mapping
from itertools import cycle

from bench.environment.function_settings import APP_ID
from bench.errors import BenchError
from bench.fill.orders import (
    DUE_AT,
    LEASE,
    SHARES,
    draft_order,
    make_order_no,
    release,
)
from kycourier.adapters import registry
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.system import SystemClock
from kycourier.core.orders.pages import Cursor, Page
from kycourier.core.orders.record import OrderKey, OrderRecord
from kycourier.core.orders.state_machine import Urgency
from kycourier.settings.resource_url import ResourceUrl
from kycourier.usecases.sweep_orders import PAGE

_STEP = 7  # so that consecutive calls do not use neighbouring rows


class FilledStore:
    """A store of `size` orders; each operation can be repeated."""

    def __init__(
        self, url: ResourceUrl, environ: Mapping[str, str], *, size: int
    ) -> None:
        """Opens it as a function does. Raises BenchError when it is not filled."""
        context = AdapterContext(clock=SystemClock(), environ=environ)
        self._orders = registry.open_stores(url, context).orders
        last = OrderKey(APP_ID, make_order_no(size - 1))
        if self._orders.get(last) is None:
            raise BenchError(f"a store of {size} orders was not filled")
        due = range(DUE_AT, size, SHARES)
        order = sorted(range(len(due)), key=lambda at: (at % _STEP, at))
        self._numbers = cycle([due[at] for at in order])
        self._claimed: list[OrderRecord] = []

    @property
    def operations(self) -> Mapping[str, Callable[[], object]]:
        """The measured operations by name."""
        return {
            "claim": self.claim,
            "commit": self.commit,
            "due": self.due,
            "unsent": self.unsent,
            "sweep page": self.sweep_page,
        }

    def claim(self) -> None:
        """Claims a due order."""
        self._claim(draft_order(next(self._numbers), now=self._orders.now()))

    def commit(self) -> None:
        """Commits a claimed order so that it is due again."""
        record = self._claimed.pop()
        changed = release(record, now=self._orders.now())
        self._orders.commit(changed, expected=record)

    def due(self, after: Cursor | None = None) -> Page:
        """Reads a page of the due orders."""
        return _full(self._orders.list_due(APP_ID, limit=PAGE, after=after))

    def unsent(self, after: Cursor | None = None) -> Page:
        """Reads a page of the orders with unsent events."""
        return _full(self._orders.list_unsent(APP_ID, limit=PAGE, after=after))

    def sweep_page(self) -> None:
        """Reads the second page of both lists; claims and releases its due orders."""
        self.unsent(self._second_unsent)
        for record in self.due(self._second_due).records:
            self._claim(record)
            self.commit()

    def find_second_pages(self) -> None:
        """Remembers the cursors of the second pages."""
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
            raise BenchError("an order could not be claimed")
        self._claimed.append(claim.record)


def _full(page: Page) -> Page:
    if len(page.records) < PAGE:
        raise BenchError("a page has fewer rows than are due")
    return page
