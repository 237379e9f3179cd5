"""`python -m bench.load`: collect many orders and verify that none is lost."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from bench.environment.bench_environment import BenchEnvironment
from bench.errors import BenchError
from bench.load.callers import Callers
from bench.load.event_monitor import EventMonitor, MemorySample
from bench.load.load_environment import LoadEnvironment, start_load_environment
from bench.load.log_summary import read_log
from bench.load.markdown import format_run
from bench.load.orders import Orders, has_photos
from bench.load.results import FILE, Latency, LoadRun, measure_latency, write_run
from bench.load.verification import verify
from bench.measure.machine import current_load, describe_machine
from bench.scale.page import write_page
from kycourier_devkit.errors import DevkitError

FAILED, USAGE, INTERRUPTED = 1, 2, 130
_NO_CPU: Mapping[str, float] = {}


def main(arguments: Sequence[str]) -> int:
    """Runs; returns exit status 0 if no order was lost and memory did not grow."""
    options = _parse(arguments)
    orders = Orders(
        plain=options.orders,
        with_photos=options.with_photos,
        photo_bytes=options.photo_bytes,
    )
    try:
        run = _run(orders, options)
    except (BenchError, DevkitError) as error:
        print(f"load: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("load: interrupted", file=sys.stderr)
        return INTERRUPTED
    if options.keep:
        write_run(run, options.keep)
        if options.keep.resolve() == FILE:
            write_page()
    print(format_run(run))
    return 0 if run.is_ok else FAILED


def _run(orders: Orders, options: argparse.Namespace) -> LoadRun:
    now, load = datetime.now(timezone.utc), current_load()  # noqa: TID251 - a run's date
    with (
        BenchEnvironment() as bench,
        start_load_environment(bench, workers=options.workers) as environment,
    ):
        monitor = EventMonitor(environment.events, total=orders.total)
        callers = Callers(environment.port, orders.numbers(), window=options.window)
        cpu_before, started = _cpu(environment), time.monotonic()
        callers.start()
        try:
            memory = _follow(monitor, callers, environment)
        finally:
            callers.stop()
        seconds = time.monotonic() - started
        callers.join()
        cpu = _cpu(environment, before=cpu_before)
        verified = verify(callers.accepted, monitor, redis=environment.redis)
        log = read_log(environment.log)
    return LoadRun(
        date=f"{now:%Y-%m-%d %H:%M} UTC",
        machine=describe_machine(),
        load_at_start=load,
        workers=options.workers,
        window=options.window,
        photo_bytes=orders.photo_bytes,
        seconds=round(seconds, 1),
        latencies=_latencies(callers, monitor),
        memory=memory,
        cpu_seconds=cpu,
        log_bytes=log.size,
        log_events=log.unusual,
        states=verified.states,
        events=len(monitor.events),
        repeated_lines=verified.repeated_lines,
        retried_calls=callers.retried_calls,
        photos=verified.photos,
        problems=verified.problems,
    )


def _latencies(callers: Callers, monitor: EventMonitor) -> dict[str, Latency]:
    seconds: dict[str, list[float]] = {"without photos": [], "with photos": []}
    for order_no, called_at in callers.accepted.items():
        name = "with photos" if has_photos(order_no) else "without photos"
        seconds[name].append(monitor.arrived[order_no] - called_at)
    return {name: measure_latency(each) for name, each in seconds.items()}


def _follow(
    monitor: EventMonitor, callers: Callers, environment: LoadEnvironment
) -> list[MemorySample]:
    return monitor.follow(
        on_ended=callers.release,
        measure=lambda: [each.resident_bytes for each in environment.workers()],
        check=lambda: callers.are_done,
        report=lambda text: print(text, flush=True),
    )


def _cpu(
    environment: LoadEnvironment, *, before: Mapping[str, float] = _NO_CPU
) -> dict[str, float]:
    """Returns the CPU seconds of the processes by role, since `before`."""
    return {
        name: round(
            sum(each.cpu_seconds for each in processes) - before.get(name, 0), 1
        )
        for name, processes in environment.processes().items()
    }


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000, help="without photos")
    parser.add_argument("--with-photos", type=int, default=5_000)
    parser.add_argument("--photo-bytes", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument(
        "--window", type=int, default=160, help="most orders in progress at a time"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="store the run there; bench/load.json updates docs/scale.md",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
