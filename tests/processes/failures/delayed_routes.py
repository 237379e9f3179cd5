"""Routes of one process to its store, on which a write can be delayed."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from support.aws.aws_proxy import AwsProxy
from support.processes.raw_stores import RawStores, configure_stores
from support.processes.service_rig import ServiceRig
from support.processes.worker_fleet import wait_until
from support.rigs.redis_rig import port_of
from support.servers.faulty_proxy import open_faulty_proxy


class DelayedRoute(NamedTuple):
    """One process's route to the store, on which a write can be delayed.

    Attributes:
        environ: The settings by which the process takes this route.
        hold: Delays the next write that contains these bytes.
        is_held: Returns whether a write is delayed.
        release: Forwards the write, and waits until its response has arrived.
        is_shared: Whether the writes of all other processes are delayed as well.
    """

    environ: dict[str, str]
    hold: Callable[[bytes], None]
    is_held: Callable[[], bool]
    release: Callable[[], None]
    is_shared: bool = False


@contextmanager
def open_route(
    service_rig: ServiceRig, kind: str, request
) -> Iterator[tuple[RawStores, DelayedRoute]]:
    """Configure the stores; yields a view of them, and a route that can be delayed."""
    stores = configure_stores(service_rig, kind, request.getfixturevalue)
    if kind == "sqlite":
        state = service_rig.folder / "state.db"
        with closing(sqlite3.connect(state, check_same_thread=False)) as other:
            yield stores, through_lock(other)
    elif kind == "redis":
        url = service_rig.environ["KYCOURIER_STATE"]
        with open_faulty_proxy(port_of(url)) as proxy:
            yield stores, through_redis(proxy)
    else:
        with closing(AwsProxy(service_rig.environ["AWS_ENDPOINT_URL"])) as proxy:
            yield stores, through_aws(proxy)


def through_lock(other) -> DelayedRoute:
    """Delay writes by the file's lock, for which SQLite waits two seconds."""
    held_at = []

    def hold(_: bytes) -> None:
        other.execute("BEGIN IMMEDIATE")
        held_at.append(time.monotonic())

    def is_held() -> bool:
        return time.monotonic() > held_at[0] + 2

    return DelayedRoute({}, hold, is_held, other.rollback, is_shared=True)


def through_redis(proxy) -> DelayedRoute:
    def hold(what: bytes) -> None:
        proxy.hold = what

    def release() -> None:
        proxy.let_go.set()
        wait_for_response(proxy.port)

    environ = {"KYCOURIER_STATE": f"redis://127.0.0.1:{proxy.port}"}
    return DelayedRoute(environ, hold, proxy.held.is_set, release)


def through_aws(proxy) -> DelayedRoute:
    held, released = threading.Event(), threading.Event()

    def delay(call, forward):
        held.set()
        released.wait(60)
        return forward(call)

    def release() -> None:
        released.set()
        wait_for_response(urlsplit(proxy.url).port)

    names = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB")
    environ = dict.fromkeys(names, proxy.url)
    return DelayedRoute(
        environ, lambda _: proxy.plan("UpdateItem", delay), held.is_set, release
    )


def wait_for_response(port: int) -> None:
    """Wait until a client of this port has an unread response in its socket."""

    def has_unread() -> bool:
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        sockets = [line.split() for line in lines]
        open_to_port = [
            s for s in sockets if s[2].endswith(f":{port:04X}") and s[3] == "01"
        ]
        return any(s[4][9:] != "00000000" for s in open_to_port)

    wait_until(has_unread, seconds=20, what="a response")
