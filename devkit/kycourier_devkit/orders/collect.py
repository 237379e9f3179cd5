"""Collect orders in this process, several at once, and say what became of each."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from kycourier.core.errors import BadRequest, KycourierError
from kycourier.core.message import parse_order_no
from kycourier.core.models import OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord, Reason
from kycourier.usecases.register_order import Expected
from kycourier.usecases.time_left import TimeLeft
from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.orders.parts import (
    COLLECT_NEEDS,
    SANDBOX_HINT,
    calls_sandbox,
    open_parts,
)
from kycourier_devkit.orders.shown import describe_card, describe_photos
from kycourier_devkit.session import Session

ORDER_SECONDS = 30.0
HEAD = ("order", "state", "reason", "card", "photos")

Outcome = OrderRecord | KycourierError


def read_numbers(given: Sequence[str], file: Path | None) -> list[str]:
    """Gather the order numbers, each once. Raises UsageProblem."""
    numbers = list(given)
    if file is not None:
        numbers += [line.strip() for line in _read_lines(file) if line.strip()]
    if not numbers:
        raise UsageProblem("name an order, or a file of them with --from")
    return [check_number(number) for number in dict.fromkeys(numbers)]


def check_number(text: str) -> str:
    """Give an order number back. Raises UsageProblem."""
    try:
        return parse_order_no(text)
    except BadRequest:
        pass  # said below
    raise UsageProblem(
        f"{text[:40]!r} is no order number: those have 1 to 32 letters and digits"
    )


def collect_now(session: Session, numbers: Sequence[str]) -> int:
    """Collect them; give the exit code."""
    parts = open_parts(session, COLLECT_NEEDS)
    collector = parts.collector

    def work(number: str) -> OrderRecord:
        return collector.collect(
            Expected(order=OrderKey(parts.app_id, number)),
            urgency=Urgency.NOW,
            time_left=TimeLeft(parts.clock.monotonic, seconds=ORDER_SECONDS),
        )

    outcomes: dict[str, Outcome] = {}
    with session.screen.progress("Collecting", len(numbers)) as bar:
        at_once = parts.settings.max_in_flight
        for number, outcome in run_side_by_side(work, numbers, at_once):
            outcomes[number] = outcome
            bar.step()
    session.screen.table(HEAD, (_row(number, outcomes[number]) for number in numbers))
    if calls_sandbox(parts) and any(map(_is_unanswered, outcomes.values())):
        session.screen.problem(f"The platform is the sandbox: {SANDBOX_HINT}")
    return 0 if all(map(_is_done, outcomes.values())) else 1


def run_side_by_side(
    work: Callable[[str], OrderRecord], items: Iterable[str], most: int
) -> Iterator[tuple[str, Outcome]]:
    """Give each item's result as it comes; at most `most` at once.

    The workers are daemons: who stops waiting may exit at once.
    """
    waiting: SimpleQueue[str | None] = SimpleQueue()
    done: SimpleQueue[tuple[str, Outcome]] = SimpleQueue()
    items = list(items)
    most = min(most, len(items))
    for item in (*items, *[None] * most):
        waiting.put(item)

    def run() -> None:
        while (item := waiting.get()) is not None:
            done.put((item, _attempt(work, item)))

    for _ in range(most):
        Thread(target=run, daemon=True).start()
    for _ in items:
        yield done.get()


def _attempt(work: Callable[[str], OrderRecord], item: str) -> Outcome:
    try:
        return work(item)
    except KycourierError as error:
        return error
    except Exception as error:  # noqa: BLE001 - one order's failure is no other's
        return KycourierError(type(error).__name__)


def _row(number: str, outcome: Outcome) -> tuple[str, ...]:
    if isinstance(outcome, KycourierError):
        return number, "failed", outcome.code, "-", "-"
    return (
        number,
        outcome.state.value,
        outcome.reason or "-",
        describe_card(outcome),
        describe_photos(outcome),
    )


def _is_done(outcome: Outcome) -> bool:
    return isinstance(outcome, OrderRecord) and outcome.state.is_final


def _is_unanswered(outcome: Outcome) -> bool:
    return isinstance(outcome, OrderRecord) and outcome.reason == Reason.TRANSIENT


def _read_lines(file: Path) -> list[str]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "not text"
    else:
        return text.splitlines()
    raise UsageProblem(f"{file} cannot be read: {reason}")
