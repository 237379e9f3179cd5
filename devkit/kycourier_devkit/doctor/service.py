"""Checks the running service: its resources, KYC host, ticket pair and backlog."""

from collections.abc import Iterator
from typing import Any

from kycourier.container import Container
from kycourier.core.causes import Cause, Problem
from kycourier.core.errors import KycourierError, SettingError, TicketUnavailableError
from kycourier.core.timing import TICKET_STALE_AFTER
from kycourier.triggers.http.health import Health
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.refresh_ticket import RefreshReason
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.doctor.check import NOTE, OK, PROBLEM, WARNING, CheckResult
from kycourier_devkit.doctor.kyc_host import check_kyc_host
from kycourier_devkit.doctor.resources import check_resources
from kycourier_devkit.orders.cause_hints import describe_problem, hint_for
from kycourier_devkit.orders.container import COLLECT_SETTINGS, open_container

MAX_OVERDUE_SECONDS = 600
_LIVE_SECONDS = 20.0

Members = Any  # JSON of /v1/health


def check_service(context: CliContext, *, is_live: bool) -> Iterator[CheckResult]:
    """Checks everything that the settings name."""
    try:
        container = open_container(context, COLLECT_SETTINGS)
    except SettingError as error:
        yield CheckResult(PROBLEM, error.variable, error.why)
        return
    yield from check_resources(container)
    yield from check_kyc_host(container)
    try:
        if is_live:
            yield _request_token(container)
        health = Health(container.app_id, stores=container.stores).describe()
    except KycourierError as error:
        yield CheckResult(PROBLEM, "orders", error.code)
        return
    if container.settings.ticket is None:
        yield _check_ticket_pair(health["ticket"])
        yield _check_refresh(health, container)
    yield _check_orders(health["backlog"])
    yield _check_sweep(health["backlog"])
    yield _check_circuit_breaker(health["breaker"], container)


def _request_token(container: Container) -> CheckResult:
    """Requests a token and a ticket, unless a pair is younger than the rule allows."""
    name = "token request"
    if container.refresher is None:
        return CheckResult(NOTE, name, "not made: another service keeps the ticket")
    pair = container.stores.tickets.get(container.app_id)
    now = container.stores.orders.now()
    if pair is not None and now - pair.obtained_at < TICKET_STALE_AFTER:
        minutes = (now - pair.obtained_at).total_seconds() // 60
        detail = f"not made: the last one was {minutes:.0f} min ago, 20 are the rule"
        return CheckResult(NOTE, name, detail)
    deadline = Deadline(container.clock.monotonic, seconds=_LIVE_SECONDS)
    try:
        pair = container.refresher.refresh(None, deadline, why=RefreshReason.SCHEDULED)
    except TicketUnavailableError as error:
        return _explain(PROBLEM, name, error.problem, container)
    if pair is None:
        return CheckResult(NOTE, name, "not made: another worker makes one")
    return CheckResult(OK, name, f"accepted: generation {pair.generation}")


def _explain(
    state: str, name: str, problem: Problem, container: Container
) -> CheckResult:
    hint = hint_for(problem.cause, container)
    return CheckResult(state, name, f"{describe_problem(problem)}: {hint}")


def _check_ticket_pair(ticket: Members) -> CheckResult:
    name = "ticket pair"
    if ticket is None:
        detail = "not requested yet: `kycourier refresh` or `doctor --live` does"
        return CheckResult(NOTE, name, detail)
    minutes = ticket["age_seconds"] // 60
    detail = f"generation {ticket['generation']}, {ticket['state']}, {minutes} min old"
    if ticket["state"] == "expired":
        return CheckResult(PROBLEM, name, f"{detail}: does the refresh timer run?")
    return CheckResult(OK, name, detail)


def _check_refresh(health: Members, container: Container) -> CheckResult:
    """Judges the last refresh: without a usable pair each failure is a problem."""
    name, last = "last refresh", health["last_refresh_failure"]
    if last is None:
        detail = "succeeded" if health["ticket"] else "none yet"
        return CheckResult(OK if health["ticket"] else NOTE, name, detail)
    problem = Problem(
        Cause(last["cause"]), last["code"], last["http_status"], last.get("detail")
    )
    usable = health["ticket"] and health["ticket"]["state"] != "expired"
    refused = problem.cause is Cause.REFRESH_REFUSED
    state = WARNING if usable and not refused else PROBLEM
    return _explain(state, name, problem, container)


def _check_orders(backlog: Members) -> CheckResult:
    """Judges what the due orders wait for: a problem if all of them fail."""
    name, causes = "due orders", backlog["due_by_cause"]
    if not causes:
        return CheckResult(OK, name, "none")
    counts = ", ".join(f"{count} {cause}" for cause, count in causes.items())
    failing = sum(count for cause, count in causes.items() if cause in _CAUSES)
    if not failing:
        return CheckResult(OK, name, counts)
    minutes = backlog["failing_seconds"] // 60
    detail = f"{counts}; failing for {minutes} min"
    all_fail = 1 < failing == sum(causes.values())
    return CheckResult(PROBLEM if all_fail else WARNING, name, detail)


_CAUSES = {cause.value for cause in Cause}


def _check_sweep(backlog: Members) -> CheckResult:
    more = "+" if backlog["more"] else ""
    due, unsent = f"{backlog['due']}{more}", f"{backlog['unsent']}{more}"
    detail = f"{due} orders due, {unsent} unsent events due"
    if backlog["oldest_due_seconds"] > MAX_OVERDUE_SECONDS:
        minutes = backlog["oldest_due_seconds"] // 60
        detail = f"{detail}, the oldest for {minutes} min: does the sweep run?"
        return CheckResult(PROBLEM, "backlog", detail)
    return CheckResult(OK, "backlog", detail)


def _check_circuit_breaker(breaker: Members, container: Container) -> CheckResult:
    name, state = "circuit breaker", breaker["state"]
    if state == "closed":
        return CheckResult(OK, name, state)
    known = breaker["problem"] or {"cause": Cause.BREAKER_OPEN.value}
    problem = Problem(
        Cause(known["cause"]),
        known.get("code"),
        known.get("http_status"),
        known.get("detail"),
    )
    may_call = state == "half_open"  # the next call decides
    result = _explain(WARNING if may_call else PROBLEM, name, problem, container)
    return CheckResult(result.state, name, f"{state} after {result.detail}")
