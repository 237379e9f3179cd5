"""What the bench sees of a process: its costs, its counts, its share of a core."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from bench.processes import BenchFailed, Process, start
from bench.quota import _stopping, hold_back
from bench.runtime import HERE
from bench.worker import Worker

Start = Callable[..., AbstractContextManager[Process]]


@pytest.fixture
def run(tmp_path: Path) -> Start:
    """Start the bench's host on a function file of this text."""

    def begin(text: str, *wishes: str, **environ: str):
        file = tmp_path / "function.py"
        file.write_text(text)
        os.utime(file, (0, 0))  # bytecode of the same text stays valid
        command = [sys.executable, str(HERE / "host.py"), str(file)]
        return start(
            [*command, *wishes],
            name="function",
            environ=environ,
            folder=tmp_path,
            log=tmp_path / "log",
        )

    return begin


def test_function_that_prints_is_heard_by_its_answers_alone(run):
    text = "print('loaded')\ndef handler(event, context):\n    print(event); return 7\n"

    with run(text) as process:
        assert process.read().keys() == {"wall", "cpu"}
        answer = process.ask({"do": "invoke", "events": ["a", "b"]})

    assert answer["answers"] == [7, 7]
    assert [len(sample) for sample in answer["samples"]] == [2, 2]


def test_cpu_of_other_threads_is_the_calls_too(run):
    text = (
        "import threading, time\n"
        "def burn():\n"
        "    ends_at = time.thread_time() + 0.2\n"
        "    while time.thread_time() < ends_at: pass\n"
        "def handler(event, context):\n"
        "    thread = threading.Thread(target=burn); thread.start(); thread.join()\n"
    )

    with run(text) as process:
        worker = Worker(process)

        assert worker.call({}).cpu >= 0.2


def test_context_tells_how_long_the_call_may_live(run):
    text = (
        "def handler(event, context):\n"
        "    return context.get_remaining_time_in_millis()\n"
    )

    with run(text) as process:
        process.read()
        order = {"do": "invoke", "events": [{}], "limit": 600}
        [left] = process.ask(order)["answers"]

    assert 0 < left <= 600_000


def test_modules_without_bytecode_are_counted_as_compiled(run, tmp_path):
    (tmp_path / "beside.py").write_text("value = 1\n")
    text = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import beside\n"
        "from collections import namedtuple\n"
        "Pair = namedtuple('Pair', 'one other')  # compiles a text, no module\n"
        "def handler(event, context): pass\n"
    )

    with run(text, "count", PYTHONDONTWRITEBYTECODE="1") as process:
        bare = process.read()
    with run(text) as process:
        process.read()  # writes bytecode
    with run(text, "count") as process:
        ready = process.read()

    assert (bare["modules"], bare["compiled"]) == (2, 2)
    assert (ready["modules"], ready["compiled"]) == (2, 0)
    assert ready["files"] >= 2


def test_peak_is_of_the_call_and_not_of_one_before(run):
    text = "def handler(event, context):\n    return len(b'x' * event)\n"

    with run(text) as process:
        process.read()
        large, small = (
            process.ask({"do": "weigh", "events": [size]})
            for size in (50_000_000, 1_000)
        )

    about = 45_000_000 / 1024  # the kernel counts in batches of pages
    assert large["peak"] - large["idle"] > about
    assert small["peak"] - small["idle"] < about


def test_orders_that_were_not_collected_fail_the_bench(run):
    text = (
        "def handler(event, context):\n"
        "    return {'batchItemFailures': [{'itemIdentifier': 'x'}]}\n"
    )

    with run(text) as process, pytest.raises(BenchFailed, match="not all orders"):
        Worker(process).collect(1000)


def test_function_that_does_not_load_is_told(run):
    with run("raise SystemExit(3)") as process, pytest.raises(BenchFailed, match="3"):
        process.read()


@pytest.mark.parametrize("hold", [hold_back, _stopping], ids=["quota", "signals"])
def test_process_that_was_held_back_runs_on_afterwards(run, hold):
    with run("def handler(event, context):\n    return event\n") as process:
        process.read()
        with hold(process.pid):
            order = {"do": "invoke", "events": [1]}
            assert process.ask(order)["answers"] == [1]

        assert process.ask({"do": "invoke", "events": [2]})["answers"] == [2]
