"""Collects orders in this process, several at once, and prints the state of each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import SimpleQueue
from threading import Thread

from kycourier.container import Container
from kycourier.core.errors import KycourierError
from kycourier.core.orders.order_request import OrderRequest
from kycourier.core.orders.record import OrderKey, OrderRecord, Reason
from kycourier.core.orders.state_machine import Urgency
from kycourier.usecases.deadlines import Deadline
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.orders.container import (
    COLLECT_SETTINGS,
    SANDBOX_HINT,
    open_container,
    uses_sandbox,
)
from kycourier_devkit.orders.rendering import (
    NOTHING,
    masked_card_number,
    photo_count,
)

_ORDER_SECONDS = 30.0
_HEAD = ("order", "state", "reason", "card", "photos")

Outcome = OrderRecord | KycourierError


def collect_now(context: CliContext, order_numbers: Sequence[str]) -> int:
    """Collects the orders.

    Returns:
        The exit code: 0 if every order is in a final state, else 1.
    """
    container = open_container(context, COLLECT_SETTINGS)
    outcomes = _collect_all(context, container, order_numbers)
    rows = (_row(number, outcomes[number]) for number in order_numbers)
    context.terminal.table(_HEAD, rows)
    if uses_sandbox(container) and any(map(_had_no_response, outcomes.values())):
        context.terminal.problem(f"The platform is the sandbox: {SANDBOX_HINT}")
    return 0 if all(map(_is_final, outcomes.values())) else 1


def _collect_all(
    context: CliContext, container: Container, order_numbers: Sequence[str]
) -> dict[str, Outcome]:
    collector = container.collector

    def collect(number: str) -> OrderRecord:
        return collector.collect(
            OrderRequest(order=OrderKey(container.app_id, number)),
            urgency=Urgency.NOW,
            deadline=Deadline(container.clock.monotonic, seconds=_ORDER_SECONDS),
        )

    outcomes: dict[str, Outcome] = {}
    max_threads = container.settings.max_in_flight
    with context.terminal.progress("Collecting", len(order_numbers)) as bar:
        for number, outcome in run_concurrently(collect, order_numbers, max_threads):
            outcomes[number] = outcome
            bar.advance()
    return outcomes


def run_concurrently(
    work: Callable[[str], OrderRecord], items: Iterable[str], max_threads: int
) -> Iterator[tuple[str, Outcome]]:
    """Yields each item with its result or error, in order of completion.

    The threads are daemons, so that Ctrl-C ends the process at once.
    """
    pending: SimpleQueue[str | None] = SimpleQueue()
    done: SimpleQueue[tuple[str, Outcome]] = SimpleQueue()
    items = list(items)
    threads = min(max_threads, len(items))
    for item in (*items, *[None] * threads):
        pending.put(item)

    def run() -> None:
        while (item := pending.get()) is not None:
            done.put((item, _attempt(work, item)))

    for _ in range(threads):
        Thread(target=run, daemon=True).start()
    for _ in items:
        yield done.get()


def _attempt(work: Callable[[str], OrderRecord], item: str) -> Outcome:
    try:
        return work(item)
    except KycourierError as error:
        return error
    except Exception as error:  # noqa: BLE001 - the other orders continue
        return KycourierError(type(error).__name__)


def _row(number: str, outcome: Outcome) -> tuple[str, ...]:
    if isinstance(outcome, KycourierError):
        return number, "failed", outcome.code, NOTHING, NOTHING
    return (
        number,
        outcome.state.value,
        outcome.reason or NOTHING,
        masked_card_number(outcome),
        photo_count(outcome),
    )


def _is_final(outcome: Outcome) -> bool:
    return isinstance(outcome, OrderRecord) and outcome.state.is_final


def _had_no_response(outcome: Outcome) -> bool:
    return isinstance(outcome, OrderRecord) and outcome.reason == Reason.TRANSIENT
