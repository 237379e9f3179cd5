"""The pool starts processes of one function when they are needed."""

import os
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kycourier_devkit.emulators.running_function import close_all
from kycourier_devkit.errors import FunctionExitedError, FunctionStartError
from kycourier_devkit.serve.function_pool import FunctionPool

LIMIT = 2
ACTS = """
    import os, time

    def handler(event, context):
        if event == "exit":
            os._exit(1)
        time.sleep(event)
        return os.getpid()
"""


@pytest.fixture
def pool(tmp_path):
    path = tmp_path / "acts.py"
    path.write_text(textwrap.dedent(ACTS))
    pool = FunctionPool(path, {}, max_processes=LIMIT)
    yield pool
    close_all(pool.close())


def test_sequential_events_run_in_one_process_until_it_exits(pool):
    pids = {pool.invoke(0, timeout_seconds=5) for _ in range(4)}
    assert len(pids) == 1
    assert os.getpid() not in pids
    with pytest.raises(FunctionExitedError):
        pool.invoke("exit", timeout_seconds=5)
    assert pool.invoke(0, timeout_seconds=5) not in pids


def test_concurrent_events_start_processes_up_to_the_limit(pool):
    with ThreadPoolExecutor(6) as callers:
        pids = list(
            callers.map(lambda _: pool.invoke(0.1, timeout_seconds=5), range(6))
        )
    assert len(set(pids)) == LIMIT


def test_closed_pool_returns_its_processes_and_accepts_no_event(pool):
    pool.wait_until_ready()
    [process] = pool.close()
    assert process.is_running
    with pytest.raises(FunctionExitedError):
        pool.invoke(0, timeout_seconds=5)


def test_closing_fails_the_events_that_wait_for_a_process(pool):
    with ThreadPoolExecutor(3) as callers:
        futures = [
            callers.submit(pool.invoke, 30, timeout_seconds=40) for _ in range(3)
        ]
        while len(pool._processes) < LIMIT:
            time.sleep(0.01)
        close_all(pool.close())
        for each in futures:
            with pytest.raises((FunctionExitedError, FunctionStartError)):
                each.result()
