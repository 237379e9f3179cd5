"""Collects orders in this process, several at once, and prints the state of each."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import SimpleQueue
from threading import Thread

import msgspec

from kycourier.container import Container
from kycourier.core.causes import Cause
from kycourier.core.documents.recognition import Document
from kycourier.core.errors import KycourierError
from kycourier.core.orders.order_request import OrderRequest
from kycourier.core.orders.record import (
    OrderKey,
    OrderRecord,
    OrderState,
    describe,
)
from kycourier.core.orders.state_machine import Urgency
from kycourier.usecases.deadlines import Deadline
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.orders.cause_hints import hint_for
from kycourier_devkit.orders.container import COLLECT_SETTINGS, open_container
from kycourier_devkit.orders.rendering import (
    headline,
    next_attempt,
    photo_count,
    why_it_waits,
)

_ORDER_SECONDS = 30.0
_HEAD = ("order", "state", "why", "next", "result", "photos")
_FAILED = "failed"

Outcome = OrderRecord | KycourierError


def collect_now(
    context: CliContext,
    order_numbers: Sequence[str],
    *,
    document: Document | None,
    as_json: bool,
    only_failed: bool,
) -> int:
    """Collects the orders.

    Args:
        context: The CLI context.
        order_numbers: The orders.
        document: What was scanned; None: what the row says, a bank card without one.
        as_json: Whether to print an object for each order instead of a table.
        only_failed: Whether to leave out the orders that were collected.

    Returns:
        The exit code: 0 if every order is in a final state, else 1.
    """
    container = open_container(context, COLLECT_SETTINGS)
    outcomes: dict[str, Outcome] = {}
    try:
        _collect_all(context, container, order_numbers, document, outcomes)
    finally:  # also after Ctrl-C: what was done stays done
        _print(context, container, order_numbers, outcomes, as_json, only_failed)
    return 0 if all(map(_is_final, outcomes.values())) else 1


def _collect_all(
    context: CliContext,
    container: Container,
    order_numbers: Sequence[str],
    document: Document | None,
    outcomes: dict[str, Outcome],
) -> None:
    collector = container.collector

    def collect(number: str) -> OrderRecord:
        return collector.collect(
            OrderRequest(order=OrderKey(container.app_id, number), document=document),
            urgency=Urgency.NOW,
            deadline=Deadline(container.clock.monotonic, seconds=_ORDER_SECONDS),
        )

    max_threads = container.settings.max_in_flight
    with context.terminal.progress("Collecting", len(order_numbers)) as bar:
        for number, outcome in run_concurrently(collect, order_numbers, max_threads):
            outcomes[number] = outcome
            bar.advance()


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


def _print(
    context: CliContext,
    container: Container,
    order_numbers: Sequence[str],
    outcomes: dict[str, Outcome],
    as_json: bool,  # noqa: FBT001 - passed on
    only_failed: bool,  # noqa: FBT001 - passed on
) -> None:
    done = {number: outcomes[number] for number in order_numbers if number in outcomes}
    shown = {
        number: outcome
        for number, outcome in done.items()
        if not (only_failed and _state_of(outcome) == OrderState.COLLECTED.value)
    }
    if as_json:
        for number, outcome in shown.items():
            members = _as_json(number, outcome)
            context.terminal.line(msgspec.json.encode(members).decode())
        return
    if shown:
        context.terminal.table(_HEAD, (_row(*each) for each in shown.items()))
    for cause in dict.fromkeys(filter(None, map(_cause_of, shown.values()))):
        context.terminal.problem(f"{cause.value}: {hint_for(cause, container)}")
    context.terminal.line(_summary(done, of=len(order_numbers)))


def _summary(outcomes: dict[str, Outcome], *, of: int) -> str:
    """Returns one line: how many orders, and how many are in which state."""
    counts = Counter(map(_state_of, outcomes.values()))
    states = ", ".join(f"{count} {state}" for state, count in counts.items())
    rest = of - len(outcomes)
    if rest:
        states = ", ".join(filter(None, (states, f"{rest} not begun or interrupted")))
    return f"{of} order{'' if of == 1 else 's'}: {states}."


def _as_json(number: str, outcome: Outcome) -> object:
    if isinstance(outcome, KycourierError):
        return {"order_no": number, "state": _FAILED, "error": outcome.code}
    return describe(outcome)


def _row(number: str, outcome: Outcome) -> tuple[str, ...]:
    if isinstance(outcome, KycourierError):
        return number, _FAILED, outcome.reason or outcome.code, "", "", ""
    return (
        number,
        outcome.state.value,
        why_it_waits(outcome),
        next_attempt(outcome),
        headline(outcome),
        photo_count(outcome),
    )


def _state_of(outcome: Outcome) -> str:
    return outcome.state.value if isinstance(outcome, OrderRecord) else _FAILED


def _cause_of(outcome: Outcome) -> Cause | None:
    last = outcome.last_problem if isinstance(outcome, OrderRecord) else None
    return last.cause if last else None


def _is_final(outcome: Outcome) -> bool:
    return isinstance(outcome, OrderRecord) and outcome.state.is_final
