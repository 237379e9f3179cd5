"""`python -m bench.load`: have many orders collected, and prove that none is lost."""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from bench.load.calls import Callers
from bench.load.house import House, open_house
from bench.load.log import read_log
from bench.load.orders import Orders, has_photos
from bench.load.proof import prove
from bench.load.results import FILE, Latency, LoadRun, measure_latency, write_run
from bench.load.watch import Watch, Weight
from bench.load.words import spell_run
from bench.machine import describe_machine, load_now
from bench.processes import BenchFailed
from bench.scale.page import renew
from bench.stage import Stage
from kycourier_devkit.errors import DevkitError

SHORT, USAGE, STOPPED = 1, 2, 130


def main(arguments: Sequence[str]) -> int:
    """Run; give the exit status: 0 when nothing was lost and memory stayed flat."""
    given = _parse(arguments)
    orders = Orders(
        plain=given.orders,
        with_photos=given.with_photos,
        photo_bytes=given.photo_bytes,
    )
    try:
        run = _run(orders, given)
    except (BenchFailed, DevkitError) as error:
        print(f"load: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("load: stopped", file=sys.stderr)
        return STOPPED
    if given.keep:
        write_run(run, given.keep)
        if given.keep.resolve() == FILE:
            renew()
    print(spell_run(run))
    return 0 if run.holds else SHORT


def _run(orders: Orders, given: argparse.Namespace) -> LoadRun:
    now, load = datetime.now(timezone.utc), load_now()  # noqa: TID251 - a run's date
    with Stage() as stage, open_house(stage, workers=given.workers) as house:
        watch = Watch(house.events, total=orders.total)
        callers = Callers(house.port, orders.numbers(), window=given.window)
        before, begun = _cpu(house), time.monotonic()
        callers.begin()
        try:
            weights = _follow(watch, callers, house)
        finally:
            callers.stop()
        seconds = time.monotonic() - begun
        callers.hear_out()
        cpu = {name: used - before[name] for name, used in _cpu(house).items()}
        proof = prove(callers.accepted, watch, redis=house.redis)
        log = read_log(house.log)
    return LoadRun(
        date=f"{now:%Y-%m-%d %H:%M} UTC",
        machine=describe_machine(),
        load_at_start=load,
        workers=given.workers,
        window=given.window,
        photo_bytes=orders.photo_bytes,
        seconds=round(seconds, 1),
        latencies=_latencies(callers, watch),
        weights=weights,
        cpu_seconds=cpu,
        log_bytes=log.size,
        facts=log.rare,
        states=proof.states,
        events=len(watch.events),
        repeated_lines=proof.repeated_lines,
        asked_again=callers.asked_again,
        photos=proof.photos,
        problems=proof.problems,
    )


def _latencies(callers: Callers, watch: Watch) -> dict[str, Latency]:
    found: dict[str, list[float]] = {"without photos": [], "with photos": []}
    for order_no, at in callers.accepted.items():
        name = "with photos" if has_photos(order_no) else "without photos"
        found[name].append(watch.arrived[order_no] - at)
    return {name: measure_latency(each) for name, each in found.items()}


def _follow(watch: Watch, callers: Callers, house: House) -> list[Weight]:
    return watch.follow(
        note_ended=callers.note_ended,
        weigh=lambda: [each.resident_bytes for each in house.workers()],
        check=lambda: callers.are_done,
        tell=lambda text: print(text, flush=True),
    )


def _cpu(house: House) -> dict[str, float]:
    return {
        name: round(sum(each.cpu_seconds for each in members), 1)
        for name, members in house.members().items()
    }


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000, help="without photos")
    parser.add_argument("--with-photos", type=int, default=5_000)
    parser.add_argument("--photo-bytes", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument(
        "--window", type=int, default=160, help="orders accepted and not ended, at most"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="keep the run there; bench/load.json is what docs/scale.md shows",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
