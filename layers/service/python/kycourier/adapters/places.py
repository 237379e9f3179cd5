"""Open what a setting names; an adapter is imported only when it is chosen."""

# ruff: noqa: PLC0415 - that is the point of this module

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from kycourier.core.errors import KycourierError, SettingError
from kycourier.ports import (
    Clock,
    EventSink,
    EvidenceStore,
    SecretSource,
    State,
    WorkQueue,
)
from kycourier.setting_forms import Place
from kycourier.settings import PREFIX

T = TypeVar("T")


def open_state(place: Place, *, clock: Clock) -> State:
    """Open tickets, leases, orders and brakes. Raises SettingError."""
    if place.scheme != "sqlite":
        raise _not_here("state")

    def sqlite() -> State:
        from kycourier.adapters.local.brake import SqliteBrakeStore
        from kycourier.adapters.local.leases import SqliteLeaseStore
        from kycourier.adapters.local.orders import SqliteOrderStore
        from kycourier.adapters.local.tickets import SqliteTicketStore

        path = sqlite_path(place)
        return State(
            tickets=SqliteTicketStore(path),
            leases=SqliteLeaseStore(path, clock),
            orders=SqliteOrderStore(path, clock),
            brakes=SqliteBrakeStore(path),
        )

    return _opened("state", sqlite)


def open_evidence(place: Place, *, state: Place, clock: Clock) -> EvidenceStore:
    """Open the evidence store. Raises SettingError."""
    if place.scheme != "file":
        raise _not_here("evidence")

    def files() -> EvidenceStore:
        from kycourier.adapters.local.evidence import FileEvidenceStore

        beside = sqlite_path(state) if state.scheme == "sqlite" else Path(place.where)
        return FileEvidenceStore(
            place.where, link_key=beside.parent / "link.key", clock=clock
        )

    return _opened("evidence", files)


def open_events(place: Place) -> EventSink:
    """Open the sink. Raises SettingError."""
    if place.scheme != "file":
        raise _not_here("events")

    def files() -> EventSink:
        from kycourier.adapters.local.events import FileEventSink

        return FileEventSink(place.where)

    return _opened("events", files)


def open_queue(place: Place | None, *, clock: Clock) -> WorkQueue | None:
    """Open the queue of delayed work, if there is one. Raises SettingError."""
    if place is None:
        return None
    if place.scheme != "sqlite":
        raise _not_here("queue")

    def sqlite() -> WorkQueue:
        from kycourier.adapters.local.queue import SqliteWorkQueue

        return SqliteWorkQueue(sqlite_path(place), clock)

    return _opened("queue", sqlite)


def open_secret(name: str, place: Place, *, environ: Mapping[str, str]) -> SecretSource:
    """Open a secret reference and read it once. Raises SettingError."""
    from kycourier.adapters.local.secrets import EnvSecret, FileSecret

    def local() -> SecretSource:
        source: SecretSource = (
            EnvSecret(place.where, environ)
            if place.scheme == "env"
            else FileSecret(place.where)
        )
        source.load()
        return source

    if place.scheme not in {"env", "file"}:
        raise _not_here(name)
    return _opened(name, local)


def sqlite_path(place: Place) -> Path:
    """Read `sqlite:///relative` or `sqlite:////absolute`, as SQLAlchemy does."""
    return Path(place.where[1:])


def _opened(name: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except KycourierError as error:
        reason = error.reason or error.code
    raise SettingError(PREFIX + name.upper(), f"cannot be used: {reason}")


def _not_here(name: str) -> SettingError:
    return SettingError(PREFIX + name.upper(), "names a service this release lacks")
