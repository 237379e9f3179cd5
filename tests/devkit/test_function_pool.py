"""Several processes of one function, started as they are needed."""

import os
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kycourier_devkit.errors import FunctionDied, FunctionNotStarted
from kycourier_devkit.functions.process import close_all
from kycourier_devkit.serve.function_pool import FunctionPool

TWO = 2
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
    pool = FunctionPool(path, {}, most=TWO)
    yield pool
    close_all(pool.close())


def test_one_process_answers_one_event_after_the_other(pool):
    pids = {pool.invoke(0, timeout_seconds=5) for _ in range(4)}
    assert len(pids) == 1
    assert os.getpid() not in pids


def test_a_busy_process_gets_help_up_to_the_limit(pool):
    with ThreadPoolExecutor(6) as callers:
        pids = list(
            callers.map(lambda _: pool.invoke(0.1, timeout_seconds=5), range(6))
        )
    assert len(set(pids)) == TWO


def test_a_process_that_died_is_replaced(pool):
    first = pool.invoke(0, timeout_seconds=5)
    with pytest.raises(FunctionDied):
        pool.invoke("exit", timeout_seconds=5)
    second = pool.invoke(0, timeout_seconds=5)
    assert second != first


def test_closing_gives_all_processes_and_refuses_more(pool):
    pool.wait_until_ready()
    [process] = pool.close()
    assert process.is_running
    with pytest.raises(FunctionDied):
        pool.invoke(0, timeout_seconds=5)


def test_closing_frees_who_waits_for_a_process(pool):
    with ThreadPoolExecutor(3) as callers:
        asked = [callers.submit(pool.invoke, 30, timeout_seconds=40) for _ in range(3)]
        while len(pool._all) < TWO:
            time.sleep(0.01)
        close_all(pool.close())
        for each in asked:
            with pytest.raises((FunctionDied, FunctionNotStarted)):
                each.result()
