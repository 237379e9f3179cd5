"""The doctor's look at what the settings name: stores, secrets, ticket, backlog."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kycourier.adapters import places
from kycourier.adapters.triggers.api_health import Health
from kycourier.assembly import Assembly
from kycourier.core.card import parse_fingerprint_key
from kycourier.core.errors import KycourierError, SettingError, StoreUnavailable
from kycourier.core.request_signature import parse_keys
from kycourier_devkit.doctor.examined import NOTE, OK, PROBLEM, Row
from kycourier_devkit.doctor.host import examine_host
from kycourier_devkit.doctor.settings import say_reason
from kycourier_devkit.orders.parts import COLLECT_NEEDS, open_parts
from kycourier_devkit.session import Session

MOST_OVERDUE_SECONDS = 600
_LEASE = "doctor"


def examine_service(session: Session) -> Iterator[Row]:
    """Open everything once, and ask the KYC host for the time."""
    needs = COLLECT_NEEDS
    try:
        parts = open_parts(session, needs)
    except SettingError as error:
        yield Row(PROBLEM, error.variable, say_reason(error))
        return
    for name, look in _LOOKS.items():
        yield _look(name, look, parts)
    yield from examine_host(parts)
    try:
        health = Health(parts.app_id, brake=parts.brake, state=parts.state).describe()
    except KycourierError as error:
        yield Row(PROBLEM, "orders", error.code)
        return
    yield _examine_ticket(health["ticket"], is_owned=parts.settings.ticket is None)
    yield _examine_backlog(health["backlog"])
    yield _examine_pause(paused=bool(health["paused"]))


def _look(name: str, look: Callable[[Assembly], str], parts: Assembly) -> Row:
    try:
        return Row(OK, name, look(parts))
    except SettingError as error:
        return Row(PROBLEM, name, say_reason(error))
    except KycourierError as error:
        return Row(PROBLEM, name, error.reason or error.code)
    except OSError as error:
        return Row(PROBLEM, name, f"cannot be written: {error.strerror}")


def _look_at_app_secret(parts: Assembly) -> str:
    if parts.settings.ticket is not None:
        return "not needed: the ticket is kept elsewhere"
    parts.secret("app_secret", parts.settings.app_secret)
    return "can be read"


def _look_at_ticket_source(parts: Assembly) -> str:
    if parts.settings.ticket is None:
        return "owned: refreshed here"
    parts.secret("ticket", parts.settings.ticket)
    return "can be read where it is kept"


def _look_at_fingerprint_key(parts: Assembly) -> str:
    source = parts.secret("fingerprint_key", parts.settings.fingerprint_key)
    if parse_fingerprint_key(source.load()) is None:
        raise StoreUnavailable("must be 32 characters or more, or lines v1=…")
    return "can be read"


def _look_at_api_keys(parts: Assembly) -> str:
    if parts.settings.api_keys is None:
        return "none set"
    keys = parse_keys(parts.secret("api_keys", parts.settings.api_keys).load())
    if keys is None:
        raise StoreUnavailable("must be one or two keys, a line each")
    return f"{len(keys)} live"


def _look_at_state(parts: Assembly) -> str:
    owner = "doctor"
    lease = parts.state.leases.acquire(_LEASE, owner=owner, seconds=5)
    if lease is not None:
        parts.state.leases.release(_LEASE, lease=lease)
    return "can be written"


def _look_at_evidence(parts: Assembly) -> str:
    place = parts.settings.evidence
    if place is None:
        return "none set"
    places.open_evidence(place, parts.around, state=parts.settings.state)
    if place.scheme != "file":
        return "can be listed"  # a trial object would stay: nothing is ever deleted
    with tempfile.TemporaryFile(dir=place.where):
        return "can be written"


def _look_at_events(parts: Assembly) -> str:
    place = parts.settings.events
    if place is None:
        return "none set"
    places.open_events(place, parts.around)
    return "can be written" if place.scheme == "file" else "is there"


def _look_at_queue(parts: Assembly) -> str:
    queue = places.open_queue(parts.settings.queue, parts.around)
    return "is there" if queue else "none: the sweep alone"


_LOOKS: Mapping[str, Callable[[Assembly], str]] = {
    "app secret": _look_at_app_secret,
    "ticket source": _look_at_ticket_source,
    "fingerprint key": _look_at_fingerprint_key,
    "API keys": _look_at_api_keys,
    "state": _look_at_state,
    "evidence": _look_at_evidence,
    "events": _look_at_events,
    "queue": _look_at_queue,
}


def _examine_ticket(ticket: Any, *, is_owned: bool) -> Row:  # noqa: ANN401 - as /v1/health says it
    if not is_owned:
        return Row(OK, "ticket pair", "kept elsewhere")
    if ticket is None:
        return Row(NOTE, "ticket pair", "none yet: `kycourier refresh` buys one")
    minutes = ticket["age_seconds"] // 60
    text = f"generation {ticket['generation']}, {ticket['state']}, {minutes} min old"
    if ticket["state"] == "expired":
        return Row(PROBLEM, "ticket pair", f"{text}: does the refresh timer run?")
    return Row(OK, "ticket pair", text)


def _examine_backlog(backlog: Any) -> Row:  # noqa: ANN401 - as /v1/health says it
    more = "+" if backlog["more"] else ""
    text = f"{backlog['due']}{more} orders due, {backlog['unsent']}{more} events unsent"
    if backlog["oldest_due_seconds"] > MOST_OVERDUE_SECONDS:
        minutes = backlog["oldest_due_seconds"] // 60
        text = f"{text}, the oldest for {minutes} min: does the sweep run?"
        return Row(PROBLEM, "backlog", text)
    return Row(OK, "backlog", text)


def _examine_pause(*, paused: bool) -> Row:
    if paused:
        return Row(PROBLEM, "pause", "the app is paused; `kycourier resume` ends it")
    return Row(OK, "pause", "none")
