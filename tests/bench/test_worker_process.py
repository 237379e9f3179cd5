"""What the bench measures of a process: its cost, its counts, its share of a core."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from bench.environment.bench_environment import HOST
from bench.environment.child_process import ChildProcess, start_child
from bench.environment.worker import Worker
from bench.errors import BenchError
from bench.measure.cpu_quota import limit_cpu, stop_in_turns

Start = Callable[..., AbstractContextManager[ChildProcess]]
ECHO = "def handler(event, context):\n    return event\n"


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start the function host on a function file with this text."""

    def start_host(text: str, *options: str, **environ: str):
        file = tmp_path / "function.py"
        file.write_text(text)
        os.utime(file, (0, 0))  # keeps bytecode of the same text valid
        return start_child(
            [sys.executable, str(HOST), str(file), *options],
            name="function",
            environ=environ,
            folder=tmp_path,
            log=tmp_path / "log",
        )

    return start_host


def test_output_of_function_is_not_taken_for_response(start):
    text = "print('loaded')\ndef handler(event, context):\n    print(event); return 7\n"

    with start(text) as process:
        assert process.read().keys() == {"wall", "cpu"}
        response = process.call({"command": "invoke", "events": ["a", "b"]})

    assert response["results"] == [7, 7]
    assert [len(sample) for sample in response["samples"]] == [2, 2]


def test_cpu_includes_other_threads(start):
    text = (
        "import threading, time\n"
        "def burn():\n"
        "    ends_at = time.thread_time() + 0.2\n"
        "    while time.thread_time() < ends_at: pass\n"
        "def handler(event, context):\n"
        "    thread = threading.Thread(target=burn); thread.start(); thread.join()\n"
    )

    with start(text) as process:
        worker = Worker(process)

        assert worker.call({}).cpu >= 0.2


def test_context_has_remaining_time_of_call(start):
    text = (
        "def handler(event, context):\n"
        "    return context.get_remaining_time_in_millis()\n"
    )

    with start(text) as process:
        process.read()
        command = {"command": "invoke", "events": [{}], "limit": 600}
        [left] = process.call(command)["results"]

    assert 0 < left <= 600_000


def test_modules_without_bytecode_are_counted_as_compiled(start, tmp_path):
    (tmp_path / "imported.py").write_text("value = 1\n")
    text = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import imported\n"
        "from collections import namedtuple\n"
        "Pair = namedtuple('Pair', 'one other')  # compiles a text, no module\n"
        "def handler(event, context): pass\n"
    )

    with start(text, "count", PYTHONDONTWRITEBYTECODE="1") as process:
        without = process.read()
    with start(text) as process:
        process.read()  # writes bytecode
    with start(text, "count") as process:
        with_bytecode = process.read()

    assert (without["modules"], without["compiled"]) == (2, 2)
    assert (with_bytecode["modules"], with_bytecode["compiled"]) == (2, 0)
    assert with_bytecode["files"] >= 2


def test_peak_memory_is_of_one_call_only(start):
    text = "def handler(event, context):\n    return len(b'x' * event)\n"

    with start(text) as process:
        process.read()
        large, small = (
            process.call({"command": "weigh", "events": [size]})
            for size in (50_000_000, 1_000)
        )

    threshold = 45_000_000 / 1024  # the kernel counts in batches of pages
    assert large["peak"] - large["idle"] > threshold
    assert small["peak"] - small["idle"] < threshold


def test_order_that_was_not_collected_fails_the_bench(start):
    text = (
        "def handler(event, context):\n"
        "    return {'batchItemFailures': [{'itemIdentifier': 'x'}]}\n"
    )

    with start(text) as process, pytest.raises(BenchError, match="not all orders"):
        Worker(process).collect(1000)


def test_function_that_does_not_load_fails_the_bench(start):
    with start("raise SystemExit(3)") as process, pytest.raises(BenchError, match="3"):
        process.read()


@pytest.mark.parametrize("limit", [limit_cpu, stop_in_turns], ids=["quota", "signals"])
def test_limited_process_continues_after_limit_ends(start, limit):
    with start(ECHO) as process:
        process.read()
        with limit(process.pid):
            command = {"command": "invoke", "events": [1]}
            assert process.call(command)["results"] == [1]

        assert process.call({"command": "invoke", "events": [2]})["results"] == [2]
