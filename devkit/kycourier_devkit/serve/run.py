"""The functions on this machine: behind HTTP, a queue and timers, until Ctrl-C."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import NoReturn

from kycourier.adapters import places
from kycourier.adapters.local.files import PRIVATE_FILE
from kycourier.adapters.local.places import sqlite_path
from kycourier.adapters.local.queue import SqliteWorkQueue
from kycourier.adapters.local.state import open_state
from kycourier.adapters.surroundings import Surroundings
from kycourier.settings import Settings, read_settings
from kycourier_devkit.functions.process import FUNCTIONS, close_all, function_file
from kycourier_devkit.local import (
    FOLDER,
    SANDBOX_URL,
    has_own_app,
    local_environ,
)
from kycourier_devkit.local_lock import hold
from kycourier_devkit.orders.parts import COLLECT_NEEDS
from kycourier_devkit.run_sandbox import start_any_sandbox
from kycourier_devkit.sandbox import APP_ID
from kycourier_devkit.screen import Screen
from kycourier_devkit.serve.evidence_links import open_links
from kycourier_devkit.serve.function_pool import FunctionPool
from kycourier_devkit.serve.gateway import Behind, Gateway
from kycourier_devkit.serve.loops import TIME_LIMIT_SECONDS, Loops
from kycourier_devkit.session import Session

REFRESH_SECONDS = 300.0
REFRESH, COLLECT, API, SWEEP = FUNCTIONS
API_AT_ONCE = 4
LOG = "functions.log"
_LONGEST_PATH = 56
_JOIN_SECONDS = 0.5

Pools = Mapping[str, FunctionPool]


def run_serve(
    session: Session,
    *,
    port: int,
    kyc_url: str | None,
    sweep_seconds: float,
    workers: int,
) -> NoReturn:
    """Serve until a signal comes. Raises UsageProblem, FunctionNotStarted.

    `workers` is how many batches of the queue are worked on at once.
    """
    stop, threads = Event(), list[Thread]()
    with ExitStack() as stack:
        stack.enter_context(hold(session.root))
        gateway = stack.enter_context(Gateway(port))
        environ = stack.enter_context(_platform(session, kyc_url))
        settings = read_settings(environ, needs=COLLECT_NEEDS)
        stack.callback(_join, threads)
        pools = stack.enter_context(_functions(environ, session.root / LOG, workers))
        stack.callback(stop.set)
        teller = _Teller(session, stop)
        _announce(session.screen, gateway.url, settings)
        gateway.open(_behind(pools, settings, session, teller))
        loops = Loops(stop=stop, clock=session.clock, tell=teller.tell)
        for run in (
            *_plan_timers(loops, pools, sweep_seconds),
            *_plan_queue(loops, pools[COLLECT], settings, session) * workers,
        ):
            threads.append(Thread(target=run, daemon=True))
            threads[-1].start()
        stop.wait()
        raise SystemExit(1)  # nobody reads what we print any more


def _behind(
    pools: Pools, settings: Settings, session: Session, teller: "_Teller"
) -> Behind:
    api = partial(pools[API].invoke, timeout_seconds=TIME_LIMIT_SECONDS)
    links = open_links(settings, session.around)
    return Behind(api, links, session.clock, teller.tell_request)


def _plan_timers(
    loops: Loops, pools: Pools, sweep_seconds: float
) -> Iterator[Callable[[], None]]:
    """Give what is to run, each in a thread of its own."""
    for name, seconds in ((REFRESH, REFRESH_SECONDS), (SWEEP, sweep_seconds)):
        yield partial(loops.run_timer, pools[name], name, seconds)


def _plan_queue(
    loops: Loops, pool: FunctionPool, settings: Settings, session: Session
) -> tuple[Callable[[], None], ...]:
    """Give what delivers the queue's messages; nothing where there is no queue."""
    queue = places.open_queue(settings.queue, session.around)
    if not isinstance(queue, SqliteWorkQueue):
        return ()
    return (partial(loops.run_queue, pool, queue),)


def _join(threads: list[Thread]) -> None:
    """Let the threads see that it is over; none of them may print any more."""
    for thread in threads:
        thread.join(_JOIN_SECONDS)


def _announce(screen: Screen, url: str, settings: Settings) -> None:
    order = f"{url}/v1/orders/ORDER1"
    screen.line(f"The orders API is at {url}/v1 for app {settings.app_id}.")
    screen.line(f"Events, photos and log lines go to {FOLDER} unless set otherwise.")
    if settings.api_auth == "signature":
        screen.line("Requests are to be signed. Each of these prints a curl to run:")
        screen.line(f"  kycourier sign --curl PUT {order}")
        screen.line(f"  kycourier sign --curl POST {order}/collection")
    else:
        screen.line("Try:")
        screen.line(f"  curl -X PUT {order}")
        screen.line(f"  curl -X POST {order}/collection")
        screen.line(f"  curl -L -o card.jpg {order}/photos/original")
    screen.line("Ctrl-C ends it.")


@contextmanager
def _platform(session: Session, kyc_url: str | None) -> Iterator[dict[str, str]]:
    """Give the environment, with a sandbox of our own where nothing else is named."""
    environ = dict(session.environ)
    if kyc_url is not None:
        environ["KYCOURIER_KYC_URL"] = kyc_url
    if has_own_app(environ) or environ.get("KYCOURIER_KYC_URL"):
        yield local_environ(environ, root=session.root)
        return
    with start_any_sandbox() as sandbox:
        values = local_environ(environ, root=session.root, kyc_url=sandbox.url)
        _forget_ticket(read_settings(values, needs=COLLECT_NEEDS), session.around)
        session.screen.line(f"The KYC sandbox is at {sandbox.url} for app {APP_ID}.")
        if sandbox.url != SANDBOX_URL:
            session.screen.line("Its usual port is taken. For the other commands:")
            session.screen.line(f"  export KYCOURIER_KYC_URL={sandbox.url}")
        yield values


def _forget_ticket(settings: Settings, around: Surroundings) -> None:
    """Drop the pair that an earlier sandbox gave: it died with it."""
    places.open_state(settings.state, around)  # raises SettingError
    if settings.state.scheme == "sqlite":
        state = open_state(sqlite_path(settings.state))
        forget = "DELETE FROM tickets WHERE app_id = ?"
        state.write(lambda rows: rows.execute(forget, (APP_ID,)))


@contextmanager
def _functions(environ: Mapping[str, str], log: Path, workers: int) -> Iterator[Pools]:
    """Start the four functions; end all their processes at the end."""
    log.touch(PRIVATE_FILE)
    at_once = {API: API_AT_ONCE, COLLECT: workers}
    pools: dict[str, FunctionPool] = {}
    with log.open("ab") as stream:
        try:
            for name in FUNCTIONS:
                path, most = function_file(name), at_once.get(name, 1)
                pools[name] = FunctionPool(path, environ, most=most, log=stream)
            for pool in pools.values():
                pool.wait_until_ready()
            yield pools
        finally:
            close_all(each for pool in pools.values() for each in pool.close())


class _Teller:
    """One line for each thing that happens, until we stop."""

    def __init__(self, session: Session, stop: Event) -> None:
        self._screen, self._clock, self._stop = session.screen, session.clock, stop

    def tell(self, what: str, text: str) -> None:
        if not self._stop.is_set():
            now = self._clock.now()
            try:
                self._screen.line(f"{now:%H:%M:%S}  {what:<16} {text}")
            except SystemExit:  # Rich's answer to a closed pipe
                self._stop.set()

    def tell_request(self, method: str, path: str, status: int, seconds: float) -> None:
        if len(path) > _LONGEST_PATH:
            path = f"{path[: _LONGEST_PATH - 1]}…"
        self.tell(API, f"{method} {path} {status} {seconds * 1000:.0f} ms")
