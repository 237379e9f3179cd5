"""Checks the running service: its resources, KYC host, ticket pair and backlog."""

from collections.abc import Iterator
from typing import Any

from kycourier.core.errors import KycourierError, SettingError
from kycourier.triggers.http.health import Health
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.doctor.check import NOTE, OK, PROBLEM, CheckResult
from kycourier_devkit.doctor.kyc_host import check_kyc_host
from kycourier_devkit.doctor.resources import check_resources
from kycourier_devkit.orders.container import COLLECT_SETTINGS, open_container

MAX_OVERDUE_SECONDS = 600


def check_service(context: CliContext) -> Iterator[CheckResult]:
    """Checks everything that the settings name."""
    try:
        container = open_container(context, COLLECT_SETTINGS)
    except SettingError as error:
        yield CheckResult(PROBLEM, error.variable, error.why)
        return
    yield from check_resources(container)
    yield from check_kyc_host(container)
    try:
        health = Health(
            container.app_id, breaker=container.breaker, stores=container.stores
        ).describe()
    except KycourierError as error:
        yield CheckResult(PROBLEM, "orders", error.code)
        return
    owns_ticket = container.settings.ticket is None
    yield _check_ticket_pair(health["ticket"], is_owned=owns_ticket)
    yield _check_backlog(health["backlog"])
    yield _check_circuit_breaker(is_open=bool(health["paused"]))


def _check_ticket_pair(ticket: Any, *, is_owned: bool) -> CheckResult:  # noqa: ANN401 - JSON of /v1/health
    if not is_owned:
        return CheckResult(OK, "ticket pair", "from another source")
    if ticket is None:
        detail = "none yet: `kycourier refresh` obtains one"
        return CheckResult(NOTE, "ticket pair", detail)
    minutes = ticket["age_seconds"] // 60
    detail = f"generation {ticket['generation']}, {ticket['state']}, {minutes} min old"
    if ticket["state"] == "expired":
        detail = f"{detail}: does the refresh timer run?"
        return CheckResult(PROBLEM, "ticket pair", detail)
    return CheckResult(OK, "ticket pair", detail)


def _check_backlog(backlog: Any) -> CheckResult:  # noqa: ANN401 - JSON of /v1/health
    more = "+" if backlog["more"] else ""
    detail = (
        f"{backlog['due']}{more} orders due, {backlog['unsent']}{more} events unsent"
    )
    if backlog["oldest_due_seconds"] > MAX_OVERDUE_SECONDS:
        minutes = backlog["oldest_due_seconds"] // 60
        detail = f"{detail}, the oldest for {minutes} min: does the sweep run?"
        return CheckResult(PROBLEM, "backlog", detail)
    return CheckResult(OK, "backlog", detail)


def _check_circuit_breaker(*, is_open: bool) -> CheckResult:
    if is_open:
        detail = "open: `kycourier resume` closes it"
        return CheckResult(PROBLEM, "circuit breaker", detail)
    return CheckResult(OK, "circuit breaker", "closed")
