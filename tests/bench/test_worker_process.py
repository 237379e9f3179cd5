"""What the bench measures of a process: its cost and its counts."""

import os
import sys

import pytest
from bench.environment.bench_environment import HOST
from bench.environment.child_process import start_child
from bench.environment.worker import Worker
from bench.errors import BenchError


@pytest.fixture
def start(tmp_path):
    """Return a function that starts the function host on a function file's text."""

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
    text = "def handler(event, context): return {'batchItemFailures': [{}]}\n"

    with start(text) as process, pytest.raises(BenchError, match="not all orders"):
        Worker(process).collect(1000)
