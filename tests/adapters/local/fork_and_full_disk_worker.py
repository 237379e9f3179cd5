"""A process that runs one task on the local adapters and prints the result as JSON."""

import hashlib
import json
import os
import resource
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from kycourier.adapters.local.events import FileEventSink
from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.local.queue import SqliteWorkQueue
from kycourier.adapters.local.schema import open_stores
from kycourier.adapters.system import SystemClock
from kycourier.core.documents.registry import DEFAULT_DOCUMENT
from kycourier.core.errors import KycourierError
from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.record import OrderKey, OrderRecord, OutboxEvent

CLOCK = SystemClock()
APP = "SANDBOX1"
MANY = 10


def draft(order_no: str = "order1") -> OrderRecord:
    return rules.draft(
        OrderKey(APP, order_no),
        document=DEFAULT_DOCUMENT,
        now=CLOCK.now(),
        ttl=timedelta(hours=48),
        first_sweep=timedelta(minutes=10),
    )


def event(text: str) -> OutboxEvent:
    return OutboxEvent(
        id=text, type="kycourier.bank_card.parked.v1", body=json.dumps(text)
    )


def name_of(work: Callable[[], object]) -> str:
    """Return `done`, or the name of the raised error's class."""
    try:
        work()
    except KycourierError as error:
        return type(error).__name__
    return "done"


def fork(folder: Path) -> object:
    """Use one store in parent and child after a fork, concurrently."""
    path = folder / "state.db"
    orders, state = SqliteOrderStore(path, CLOCK), open_stores(path)
    parents = state.write(lambda connection: connection)
    child = os.fork()
    for each in range(MANY):
        orders.register(draft(f"{'parent' if child else 'child'}{each}"))
    if child == 0:
        own = state.write(lambda connection: connection) is not parents
        os._exit(0 if own else 1)
    _, status = os.waitpid(child, 0)
    same = state.write(lambda connection: connection) is parents
    return {"child": os.waitstatus_to_exitcode(status), "parent_kept_its_own": same}


def fill(folder: Path) -> object:
    """Reach the file size limit, then write again without it."""
    orders = SqliteOrderStore(folder / "state.db", CLOCK)
    queue = SqliteWorkQueue(folder / "queue.db", CLOCK)
    evidence = FileEvidenceStore(
        folder / "evidence", link_key=folder / "link.key", clock=CLOCK
    )
    sink = FileEventSink(folder / "events.jsonl")
    orders.register(draft("before"))
    sink.publish([event("before")])
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    long, photo = event("x" * 200_000), bytes(200_000)
    digest = hashlib.sha256(photo).hexdigest()
    found = {
        "orders": name_of(lambda: orders.register(replace(draft(), events=(long,)))),
        "queue": name_of(
            lambda: queue.enqueue(OrderKey(APP, "x" * 200_000), timedelta(0))
        ),
        "evidence": name_of(
            lambda: evidence.put("a/1.jpg", photo, sha256=digest, media_type="")
        ),
        "events": name_of(lambda: sink.publish([event("short"), long])),
    }
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    orders.register(draft("after"))
    queue.enqueue(OrderKey(APP, "after"), timedelta(0))
    evidence.put("a/1.jpg", photo, sha256=digest, media_type="")
    sink.publish([event("after")])
    return found


if __name__ == "__main__":
    task = {"fork": fork, "fill": fill}[sys.argv[1]]
    sys.stdout.write(json.dumps(task(Path(sys.argv[2]))))
