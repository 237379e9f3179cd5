"""The load run works, small; and what would be lost is found."""

import json
import subprocess
import sys
from collections import Counter

import msgspec
import pytest
from bench.load import proof
from bench.load.log import read_log
from bench.load.orders import Orders, has_photos
from bench.load.results import LoadRun, measure_latency
from bench.load.watch import Event, Watch, Weight
from bench.load.words import spell_run
from bench.processes import BenchFailed

from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.toolbox import ROOT, redis_server

LINE = '{"id":"%s","type":"kycourier.ocr.rejected.v1","subject":"%s","data":{}}\n'


def line(order_no: str, event_id: str = "e1") -> str:
    return LINE % (event_id, order_no)


def follow(watch: Watch, weights=(1,)) -> list[Weight]:
    return watch.follow(
        note_ended=lambda _: None,
        weigh=lambda: weights,
        check=lambda: None,
        tell=lambda _: None,
    )


def test_orders_with_photos_are_mixed_evenly():
    numbers = list(Orders(plain=20, with_photos=5, photo_bytes=7).numbers())
    places = [at for at, number in enumerate(numbers) if has_photos(number)]

    assert len(set(numbers)) == 25
    assert places == [4, 9, 14, 19, 24]
    assert {number.partition("n")[0] for number in numbers if has_photos(number)} == {
        "p7"
    }


def test_line_that_is_not_whole_yet_is_read_when_it_is(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(line("u1") + line("u2")[:20])
    watch = Watch(path, total=1)

    follow(watch)
    assert set(watch.arrived) == {"u1"}

    path.write_text(line("u1") + line("u2"))
    watch._total = 2
    follow(watch)
    assert set(watch.arrived) == {"u1", "u2"}
    assert set(watch.lines.values()) == {1}


def test_events_that_stop_coming_end_the_run(tmp_path, monkeypatch):
    (tmp_path / "events.jsonl").write_text(line("u1"))
    monkeypatch.setattr("bench.load.watch.STALLED_SECONDS", -1)

    with pytest.raises(BenchFailed, match="1 orders have no event"):
        follow(Watch(tmp_path / "events.jsonl", total=2))


def test_workers_are_weighed_at_a_tenth_the_half_and_the_end(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("".join(line(f"u{at}") for at in range(10)))

    weights = follow(Watch(path, total=10), weights=(5, 6))

    assert [each.ended for each in weights] == [10, 10, 10]
    assert weights[0].workers == (5, 6)


def test_log_tells_what_is_rare_and_leaves_out_what_each_order_says(tmp_path):
    facts = ["event_sent", "stale_owner_refused", "event_sent"]
    lines = [json.dumps({"message": fact}) for fact in facts]
    lines += [json.dumps({"_aws": {}}), "Traceback"]
    (tmp_path / "log").write_text("\n".join(lines) + "\n")

    log = read_log(tmp_path / "log")

    assert log.rare == {"stale_owner_refused": 1, "lines that are no JSON": 1}
    assert log.size == (tmp_path / "log").stat().st_size


def test_latencies_are_in_milliseconds_and_in_order():
    found = measure_latency(at / 1000 for at in range(101))

    assert (found.orders, found.p50, found.p95, found.p99, found.most) == (
        *(101, 50, 95, 99, 100),
    )


def run_of(**changes) -> LoadRun:
    weights = [Weight(ended=at, workers=[100]) for at in (1_000, 5_000)]
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
            weights=[*weights, Weight(ended=10_000, workers=[110])],
            cpu_seconds={"workers": 10.0},
            log_bytes=10,
            facts={},
            states={"rejected": 10_000},
            events=10_000,
            repeated_lines=0,
            asked_again=0,
            photos=0,
            problems=[],
        ),
        **changes,
    )


def test_run_that_lost_something_or_grew_does_not_hold():
    grown = [Weight(ended=at, workers=[at]) for at in (1_000, 5_000, 10_000)]

    assert run_of().holds
    assert not run_of(problems=["u1 has no row"]).holds
    assert not run_of(weights=grown).holds
    assert "**growing**" in spell_run(run_of(weights=grown))


def test_photo_with_other_bytes_is_found(tmp_path):
    photo = tmp_path / "photo"
    photo.write_bytes(b"other")
    named = [{"uri": f"file://{photo}", "sha256": "0" * 64}] * 2
    data = msgspec.Raw(msgspec.json.encode({"photos": named}))

    _, problems = proof._check_photos(Event("e", "t", "p1n1", data))

    assert Counter(problems) == {
        "names 2 photos": 1,
        "has a photo with other bytes": 2,
    }


@pytest.mark.slow
@pytest.mark.enable_socket
def test_short_run_loses_nothing(tmp_path):
    try:
        redis_server()
    except ToolMissing as missing:
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
    assert [len(each.workers) for each in run.weights][-1] <= 2
