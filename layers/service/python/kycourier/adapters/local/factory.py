"""Opens the adapters of `sqlite`, `file` and `env` URLs."""

# ruff: noqa: PLC0415 - each adapter is imported only when it is chosen

from pathlib import Path

from kycourier.adapters.context import AdapterContext
from kycourier.ports import EventSink, EvidenceStore, SecretSource, Stores, WorkQueue
from kycourier.settings.resource_url import ResourceUrl


def open_stores(url: ResourceUrl, context: AdapterContext) -> Stores:
    """Opens the state file. Raises StoreUnavailableError, NewerSchemaError."""
    from kycourier.adapters.local.breaker import SqliteBreakerStore
    from kycourier.adapters.local.leases import SqliteLeaseStore
    from kycourier.adapters.local.orders import SqliteOrderStore
    from kycourier.adapters.local.tickets import SqliteTicketStore

    path = sqlite_path(url)
    return Stores(
        tickets=SqliteTicketStore(path),
        leases=SqliteLeaseStore(path, context.clock),
        orders=SqliteOrderStore(path, context.clock),
        breakers=SqliteBreakerStore(path),
    )


def open_evidence(
    url: ResourceUrl, context: AdapterContext, *, state: ResourceUrl
) -> EvidenceStore:
    """Opens a folder; its link key is in the state file's folder, if there is one.

    Raises:
        EvidenceUnavailableError: the file system failed.
    """
    from kycourier.adapters.local.evidence import FileEvidenceStore

    sibling = sqlite_path(state) if state.scheme == "sqlite" else Path(url.rest)
    return FileEvidenceStore(
        url.rest, link_key=sibling.parent / "link.key", clock=context.clock
    )


def open_events(url: ResourceUrl, _: AdapterContext) -> EventSink:
    """Opens an event file. Raises SinkUnavailableError."""
    from kycourier.adapters.local.events import FileEventSink

    return FileEventSink(url.rest)


def open_queue(url: ResourceUrl, context: AdapterContext) -> WorkQueue:
    """Opens a queue file. Raises StoreUnavailableError, NewerSchemaError."""
    from kycourier.adapters.local.queue import SqliteWorkQueue

    return SqliteWorkQueue(sqlite_path(url), context.clock)


def open_secret(url: ResourceUrl, context: AdapterContext) -> SecretSource:
    """Opens `env:NAME` or `file:///path`."""
    from kycourier.adapters.local.secrets import EnvSecret, FileSecret

    if url.scheme == "env":
        return EnvSecret(url.rest, context.environ)
    return FileSecret(url.rest)


def sqlite_path(url: ResourceUrl) -> Path:
    """Returns the path of `sqlite:///relative` or `sqlite:////absolute`.

    The form is SQLAlchemy's.
    """
    return Path(url.rest[1:])
