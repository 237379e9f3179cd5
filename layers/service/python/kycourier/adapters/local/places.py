"""What the settings may name on one machine: `sqlite`, `file` and `env`."""

# ruff: noqa: PLC0415 - each adapter is imported only when it is chosen

from pathlib import Path

from kycourier.adapters.surroundings import Surroundings
from kycourier.ports import EventSink, EvidenceStore, SecretSource, State, WorkQueue
from kycourier.setting_forms import Place


def open_state(place: Place, around: Surroundings) -> State:
    """Open a state file. Raises StoreUnavailable, NewerSchema."""
    from kycourier.adapters.local.brake import SqliteBrakeStore
    from kycourier.adapters.local.leases import SqliteLeaseStore
    from kycourier.adapters.local.orders import SqliteOrderStore
    from kycourier.adapters.local.tickets import SqliteTicketStore

    path = sqlite_path(place)
    return State(
        tickets=SqliteTicketStore(path),
        leases=SqliteLeaseStore(path, around.clock),
        orders=SqliteOrderStore(path, around.clock),
        brakes=SqliteBrakeStore(path),
    )


def open_evidence(place: Place, around: Surroundings, *, state: Place) -> EvidenceStore:
    """Open a folder; the key of its links lies beside the state where that is a file.

    Raises EvidenceUnavailable.
    """
    from kycourier.adapters.local.evidence import FileEvidenceStore

    beside = sqlite_path(state) if state.scheme == "sqlite" else Path(place.where)
    return FileEvidenceStore(
        place.where, link_key=beside.parent / "link.key", clock=around.clock
    )


def open_events(place: Place, _: Surroundings) -> EventSink:
    """Open a file of events. Raises SinkUnavailable."""
    from kycourier.adapters.local.events import FileEventSink

    return FileEventSink(place.where)


def open_queue(place: Place, around: Surroundings) -> WorkQueue:
    """Open a queue's file. Raises StoreUnavailable, NewerSchema."""
    from kycourier.adapters.local.queue import SqliteWorkQueue

    return SqliteWorkQueue(sqlite_path(place), around.clock)


def open_secret(place: Place, around: Surroundings) -> SecretSource:
    """Open `env:NAME` or `file:///path`."""
    from kycourier.adapters.local.secrets import EnvSecret, FileSecret

    if place.scheme == "env":
        return EnvSecret(place.where, around.environ)
    return FileSecret(place.where)


def sqlite_path(place: Place) -> Path:
    """Read `sqlite:///relative` or `sqlite:////absolute`, as SQLAlchemy does."""
    return Path(place.where[1:])
