"""Runs the four functions behind the gateway, the queue and the timers until Ctrl-C."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import NoReturn

from kycourier.adapters import registry
from kycourier.adapters.local.files import PRIVATE_FILE
from kycourier.adapters.local.queue import SqliteWorkQueue
from kycourier.settings.reader import Settings, read_settings
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.emulators.local_runtime.process import function_file
from kycourier_devkit.emulators.running_function import FUNCTIONS, close_all
from kycourier_devkit.orders.container import COLLECT_SETTINGS
from kycourier_devkit.serve.evidence_links import open_links
from kycourier_devkit.serve.function_pool import FunctionPool
from kycourier_devkit.serve.gateway import Backend, Gateway
from kycourier_devkit.serve.log_follower import LogFollower
from kycourier_devkit.serve.loops import TIME_LIMIT_SECONDS, Loops
from kycourier_devkit.serve.output import ActivityLog, print_addresses
from kycourier_devkit.serve.platform import check_kyc_url, open_platform
from kycourier_devkit.workspace.folder_lock import lock_folder

_REFRESH_SECONDS = 300.0
_REFRESH, _COLLECT, _API, _SWEEP = FUNCTIONS
_API_PROCESSES = 4
_LOG_FILE = "functions.log"
_JOIN_SECONDS = 0.5

Pools = Mapping[str, FunctionPool]


def run_serve(
    context: CliContext,
    *,
    port: int,
    kyc_url: str | None,
    sweep_seconds: float,
    workers: int,
) -> NoReturn:
    """Serves until a signal arrives.

    Args:
        context: The CLI context.
        port: The gateway's port; 0 for any free one.
        kyc_url: A KYC host to use instead of the sandbox.
        sweep_seconds: Interval between two sweeps.
        workers: How many batches of the queue are processed at once.

    Raises:
        UsageError: The port or the local folder cannot be used.
        FunctionStartError: A function does not start with these settings.
    """
    check_kyc_url(kyc_url)
    stop, threads = Event(), list[Thread]()
    with ExitStack() as stack:
        stack.enter_context(lock_folder(context.root))
        gateway = stack.enter_context(Gateway(port))
        environ = stack.enter_context(open_platform(context, kyc_url))
        settings = read_settings(environ, needs=COLLECT_SETTINGS)
        stack.callback(_join, threads)
        log_file = context.root / _LOG_FILE
        pools = stack.enter_context(_start_functions(environ, log_file, workers))
        stack.callback(stop.set)
        activity = ActivityLog(context.terminal, context.clock, stop)
        print_addresses(context.terminal, gateway.url, settings)
        stores = registry.open_stores(settings.state, context.adapter_context)
        follower = LogFollower(
            log_file,
            app_id=settings.app_id,
            orders=stores.orders,
            log=activity.log,
            stop=stop,
        )
        threads += _start((follower.run,))
        gateway.start(_build_backend(pools, settings, context, activity))
        loops = Loops(stop=stop, clock=context.clock, log=activity.log)
        threads += _start(_timer_loops(loops, pools, sweep_seconds))
        queue_loop = _queue_loop(loops, pools[_COLLECT], settings, context)
        threads += _start(queue_loop * workers)
        stop.wait()
        raise SystemExit(1)  # standard output is closed


def _build_backend(
    pools: Pools, settings: Settings, context: CliContext, activity: ActivityLog
) -> Backend:
    invoke = partial(pools[_API].invoke, timeout_seconds=TIME_LIMIT_SECONDS)
    links = open_links(settings, context.adapter_context)
    return Backend(invoke, links, context.clock, activity.log_request)


def _timer_loops(
    loops: Loops, pools: Pools, sweep_seconds: float
) -> Iterator[Callable[[], None]]:
    for name, seconds in ((_REFRESH, _REFRESH_SECONDS), (_SWEEP, sweep_seconds)):
        yield partial(loops.run_timer, pools[name], name, seconds)


def _queue_loop(
    loops: Loops, pool: FunctionPool, settings: Settings, context: CliContext
) -> tuple[Callable[[], None], ...]:
    """Returns the loop of a local queue; nothing for another queue or none."""
    queue = registry.open_queue(settings.queue, context.adapter_context)
    if not isinstance(queue, SqliteWorkQueue):
        return ()
    return (partial(loops.run_queue, pool, queue),)


def _start(loops: Iterable[Callable[[], None]]) -> list[Thread]:
    threads = [Thread(target=loop, daemon=True) for loop in loops]
    for thread in threads:
        thread.start()
    return threads


def _join(threads: list[Thread]) -> None:
    """Waits for the threads, so that none of them prints after the last line."""
    for thread in threads:
        thread.join(_JOIN_SECONDS)


@contextmanager
def _start_functions(
    environ: Mapping[str, str], log_file: Path, workers: int
) -> Iterator[Pools]:
    """Starts the four functions; stops all their processes at the end."""
    log_file.touch(PRIVATE_FILE)
    max_processes = {_API: _API_PROCESSES, _COLLECT: workers}
    pools: dict[str, FunctionPool] = {}
    with log_file.open("ab") as log:
        try:
            for name in FUNCTIONS:
                pools[name] = FunctionPool(
                    function_file(name),
                    environ,
                    max_processes=max_processes.get(name, 1),
                    log=log,
                )
            for pool in pools.values():
                pool.wait_until_ready()
            yield pools
        finally:
            close_all(process for pool in pools.values() for process in pool.close())
