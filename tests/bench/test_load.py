"""The load run works on a small scale, and detects lost orders."""

import json
import subprocess
import sys
from collections import Counter

import msgspec
import pytest
from bench.errors import BenchError
from bench.load.event_monitor import Event, EventMonitor, MemorySample
from bench.load.log_summary import read_log
from bench.load.markdown import format_run
from bench.load.orders import Orders, has_photos
from bench.load.results import LoadRun, measure_latency
from bench.load.verification import check_photos

from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.repository import ROOT
from kycourier_devkit.tool_envs import redis_server

LINE = '{"id":"%s","type":"kycourier.ocr.rejected.v1","subject":"%s","data":{}}\n'


def line(order_no: str, event_id: str = "e1") -> str:
    return LINE % (event_id, order_no)


def follow(monitor: EventMonitor, memory=(1,)) -> list[MemorySample]:
    return monitor.follow(
        on_ended=lambda _: None,
        measure=lambda: memory,
        check=lambda: None,
        report=lambda _: None,
    )


def test_orders_with_photos_are_mixed_evenly():
    numbers = list(Orders(plain=20, with_photos=5, photo_bytes=7).numbers())
    positions = [at for at, number in enumerate(numbers) if has_photos(number)]

    assert len(set(numbers)) == 25
    assert positions == [4, 9, 14, 19, 24]
    assert {number.partition("n")[0] for number in numbers if has_photos(number)} == {
        "p7"
    }


def test_incomplete_line_is_read_when_complete(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(line("u1") + line("u2")[:20])
    monitor = EventMonitor(path, total=1)

    follow(monitor)
    assert set(monitor.arrived) == {"u1"}

    path.write_text(line("u1") + line("u2"))
    monitor._total = 2
    follow(monitor)
    assert set(monitor.arrived) == {"u1", "u2"}
    assert set(monitor.lines.values()) == {1}


def test_run_ends_when_no_more_events_arrive(tmp_path, monkeypatch):
    (tmp_path / "events.jsonl").write_text(line("u1"))
    monkeypatch.setattr("bench.load.event_monitor.STALLED_SECONDS", -1)

    with pytest.raises(BenchError, match="1 orders have no event"):
        follow(EventMonitor(tmp_path / "events.jsonl", total=2))


def test_memory_is_measured_after_tenth_half_and_all(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("".join(line(f"u{at}") for at in range(10)))

    samples = follow(EventMonitor(path, total=10), memory=(5, 6))

    assert [each.ended for each in samples] == [10, 10, 10]
    assert samples[0].workers == (5, 6)


def test_log_summary_has_only_unusual_events(tmp_path):
    events = ["event_published", "stale_owner_refused", "event_published"]
    lines = [json.dumps({"message": event}) for event in events]
    lines += [json.dumps({"_aws": {}}), "Traceback"]
    (tmp_path / "log").write_text("\n".join(lines) + "\n")

    log = read_log(tmp_path / "log")

    assert log.unusual == {"stale_owner_refused": 1, "lines that are not JSON": 1}
    assert log.size == (tmp_path / "log").stat().st_size


def test_latencies_are_percentiles_in_milliseconds():
    found = measure_latency(at / 1000 for at in range(101))

    assert (found.orders, found.p50, found.p95, found.p99, found.max) == (
        *(101, 50, 95, 99, 100),
    )


def run_of(**changes) -> LoadRun:
    memory = [MemorySample(ended=at, workers=[100]) for at in (1_000, 5_000)]
    return msgspec.structs.replace(
        LoadRun(
            date="2026-11-30",
            machine="a machine",
            load_at_start=0.0,
            workers=1,
            window=1,
            photo_bytes=1,
            seconds=100.0,
            latencies={"without photos": measure_latency([0.001] * 10_000)},
            memory=[*memory, MemorySample(ended=10_000, workers=[110])],
            cpu_seconds={"workers": 10.0},
            log_bytes=10,
            log_events={},
            states={"rejected": 10_000},
            events=10_000,
            repeated_lines=0,
            retried_calls=0,
            photos=0,
            problems=[],
        ),
        **changes,
    )


def test_run_with_lost_order_or_growing_memory_fails():
    growing = [MemorySample(ended=at, workers=[at]) for at in (1_000, 5_000, 10_000)]

    assert run_of().is_ok
    assert not run_of(problems=["u1 has no row"]).is_ok
    assert not run_of(memory=growing).is_ok
    assert "**growing**" in format_run(run_of(memory=growing))


def test_photo_with_other_bytes_is_detected(tmp_path):
    photo = tmp_path / "photo"
    photo.write_bytes(b"other")
    photos = [{"uri": f"file://{photo}", "sha256": "0" * 64}] * 2
    data = msgspec.Raw(msgspec.json.encode({"photos": photos}))

    _, problems = check_photos(Event("e", "t", "p1n1", data))

    assert Counter(problems) == {
        "has 2 photos": 1,
        "has a photo with other bytes": 2,
    }


@pytest.mark.slow
@pytest.mark.enable_socket
def test_short_run_loses_no_order(tmp_path):
    try:
        redis_server()
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))
    command = [sys.executable, "-m", "bench.load", "--orders", "60"]
    command += ["--with-photos", "6", "--photo-bytes", "20000"]
    done = subprocess.run(
        [*command, "--workers", "2", "--keep", tmp_path / "run.json"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    run = msgspec.json.decode((tmp_path / "run.json").read_bytes(), type=LoadRun)
    assert run.states == {"rejected": 60, "collected": 6}
    assert (run.events, run.photos, run.problems) == (66, 18, [])
    assert [len(each.workers) for each in run.memory][-1] <= 2
