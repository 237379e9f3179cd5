"""The load run works on a small scale, and detects lost orders."""

import subprocess
import sys
from collections import Counter

import msgspec
import pytest
from bench.errors import BenchError
from bench.load.event_monitor import Event, EventMonitor, MemorySample
from bench.load.markdown import format_run
from bench.load.results import LoadRun, measure_latency, read_run
from bench.load.verification import check_photos

from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.repository import ROOT
from kycourier_devkit.tool_envs import redis_server

LINE = '{"id":"e1","type":"kycourier.bank_card.rejected.v1","subject":"%s","data":{}}\n'


def test_run_ends_when_no_more_events_arrive(tmp_path, monkeypatch):
    (tmp_path / "events.jsonl").write_text(LINE % "u1")
    monkeypatch.setattr("bench.load.event_monitor.STALLED_SECONDS", -1)

    monitor = EventMonitor(tmp_path / "events.jsonl", total=2)

    with pytest.raises(BenchError, match="1 orders have no event"):
        monitor.follow(
            on_ended=lambda _: None,
            measure=lambda: [1],
            check=lambda: None,
            report=lambda _: None,
        )


def test_latencies_are_percentiles_in_milliseconds():
    found = measure_latency(at / 1000 for at in range(101))

    percentiles = (found.p50, found.p95, found.p99, found.max)
    assert (found.orders, percentiles) == (101, (50, 95, 99, 100))


def test_run_with_lost_order_or_growing_memory_fails():
    run = read_run()
    growing = [MemorySample(ended=at, workers=[at]) for at in (1_000, 5_000, 10_000)]
    grown = msgspec.structs.replace(run, memory=growing)

    assert run.is_ok
    assert not msgspec.structs.replace(run, problems=["u1 has no row"]).is_ok
    assert not grown.is_ok
    assert "**growing**" in format_run(grown)


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
