"""Makes a scenario happen in the sandbox, and prints the event that it ends with."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from kycourier.adapters.system import draw_marker
from kycourier.container import Container
from kycourier.core.documents.recognition import Document
from kycourier.core.documents.registry import DEFAULT_DOCUMENT
from kycourier.core.orders.order_request import OrderRequest
from kycourier.core.orders.record import OrderKey, OrderRecord, OrderState
from kycourier.core.orders.state_machine import Urgency
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.register_order import RegisterOrder
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import DevkitError, UsageError
from kycourier_devkit.events.rendering import body_lines
from kycourier_devkit.events.scenarios import SCENARIOS
from kycourier_devkit.orders.cause_hints import SANDBOX_HINT
from kycourier_devkit.orders.container import COLLECT_SETTINGS, open_container
from kycourier_devkit.orders.rendering import next_attempt, why_it_waits
from kycourier_devkit.sandbox import APP_ID

_MAX_SECONDS = 90.0
_ATTEMPT_SECONDS = 30.0
_MAX_POLL_SECONDS = 0.5
_MIN_POLL_SECONDS = 0.05
_CALL_SECONDS = 5.0
_MARKER_LENGTH = 12
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

Report = Callable[[OrderRecord], None]


def list_scenarios(context: CliContext) -> int:
    """Prints each scenario with its line. Returns the exit code."""
    for name, scenario in SCENARIOS.items():
        context.terminal.line(f"{name:<16}{scenario.help}")
    return 0


def trigger(
    context: CliContext, name: str, *, document: Document | None, as_json: bool
) -> int:
    """Makes the scenario happen with an order of its own, and prints its event.

    Args:
        context: The CLI context.
        name: The scenario.
        document: What was scanned; None: a bank card.
        as_json: Whether to print the event as it is published.

    Returns:
        The exit code: 1 if the order ended otherwise.

    Raises:
        UsageError: There is no such scenario, or not for this document.
        DevkitError: The settings name no running sandbox, or the order does not end.
    """
    scenario = SCENARIOS.get(name)
    if scenario is None:
        raise UsageError(f"SCENARIO: must be one of {', '.join(SCENARIOS)}")
    scanned = document or DEFAULT_DOCUMENT
    behaviour = scenario.behaviour_of(scanned)
    if behaviour is None:
        raise UsageError(f"SCENARIO: {name} cannot happen to {scanned}")
    container = open_container(context, COLLECT_SETTINGS)
    _check_sandbox(container)
    terminal = context.terminal

    def report(record: OrderRecord) -> None:
        if not as_json:
            why, due = why_it_waits(record), next_attempt(record)
            terminal.line(f"{record.order_no}: {record.state.value}, {why}, next {due}")

    number = f"{behaviour}x{draw_marker()[:_MARKER_LENGTH]}"
    request = OrderRequest(order=OrderKey(container.app_id, number), document=scanned)
    _register(container, request, scenario.ttl)
    record = _run(container, request, report)
    event = record.events[-1]
    if as_json:
        terminal.line(event.body)
    else:
        terminal.line(f"{record.order_no}: {record.state.value}")
        for line in body_lines(event):
            terminal.line(line)
    if not event.sent:
        terminal.problem("The event was not accepted yet: check KYCOURIER_EVENTS.")
    if record.state is not scenario.end:
        terminal.problem(f"The order ended otherwise: {why_it_waits(record)}.")
    return 0 if record.state is scenario.end else 1


def _run(container: Container, request: OrderRequest, report: Report) -> OrderRecord:
    """Collects the order until it has ended; `report` gets each wait once.

    Another process, as serve, may do so meanwhile.
    """
    ends_at = container.clock.monotonic() + _MAX_SECONDS
    urgency, reported = Urgency.NOW, 0
    while container.clock.monotonic() < ends_at:
        record = container.collector.collect(
            request,
            urgency=urgency,
            deadline=Deadline(container.clock.monotonic, seconds=_ATTEMPT_SECONDS),
        )
        if record.state.is_final:
            return record
        if record.state is OrderState.WAITING and record.version != reported:
            report(record)
            reported = record.version
        urgency = Urgency.DUE
        container.clock.sleep(_pause(record, container))
    number = request.order.order_no
    raise DevkitError(f"{number} has not ended: see kycourier show {number}")


def _register(
    container: Container, request: OrderRequest, ttl: timedelta | None
) -> None:
    settings = container.settings
    RegisterOrder(
        ttl=settings.order_ttl_seconds if ttl is None else ttl,
        first_sweep=settings.first_sweep_seconds,
        stores=container.stores,
        deps=container.deps,
    ).register(request)


def _pause(record: OrderRecord, container: Container) -> float:
    """Returns for how long to wait before the row is read again."""
    now = container.stores.orders.now()
    left = (record.due_at - now).total_seconds() if record.due_at else 0.0
    return min(max(left, _MIN_POLL_SECONDS), _MAX_POLL_SECONDS)


def _check_sandbox(container: Container) -> None:
    """Checks that the settings name a sandbox that runs. Raises DevkitError."""
    url = urlsplit(container.settings.kyc_url or "")
    if container.app_id != APP_ID or url.hostname not in _LOOPBACK:
        raise DevkitError(
            "trigger works with the sandbox only: leave out KYCOURIER_APP_ID and"
            " KYCOURIER_KYC_URL"
        )
    if not _is_sandbox(url.hostname, url.port):
        raise DevkitError(f"No sandbox runs at http://{url.netloc}: {SANDBOX_HINT}")


def _is_sandbox(host: str, port: int | None) -> bool:
    """Checks whether the control endpoint of a sandbox responds."""
    connection = HTTPConnection(host, port, timeout=_CALL_SECONDS)
    try:
        with closing(connection):
            connection.request("GET", "/control")
            members = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return False
    return isinstance(members, dict) and "order_numbers" in members
