"""A function file in a process of its own, as a cloud would run it."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer

import pytest

from kycourier_devkit.errors import (
    FunctionDied,
    FunctionFailed,
    FunctionNotStarted,
    FunctionTimedOut,
    UsageProblem,
)
from kycourier_devkit.functions import process as function_process
from kycourier_devkit.functions.process import (
    FUNCTIONS,
    FunctionProcess,
    close_all,
    function_file,
)

ACTS = """
    import os, sys, time
    from kycourier.core.errors import HandlerFailed

    def handler(event, context):
        print("printed by the function")
        if event == "context":
            return vars(context) | {"left": context.get_remaining_time_in_millis()}
        if event == "environ":
            return dict(os.environ)
        if event == "fail":
            raise HandlerFailed("store_unavailable")
        if event == "raise":
            raise ValueError("a secret")
        if event == "exit":
            os._exit(3)
        if event == "set":
            return {1}
        if isinstance(event, dict) and "sleep" in event:
            time.sleep(event["sleep"])
        return {"event": event, "pid": os.getpid()}
"""


@pytest.fixture
def write(tmp_path):
    def write_file(text):
        path = tmp_path / "acts.py"
        path.write_text(textwrap.dedent(text))
        return path

    return write_file


@pytest.fixture
def function(write):
    with FunctionProcess(write(ACTS), {}) as process:
        yield process


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_an_event_goes_in_and_the_answer_comes_back(function):
    event = {"name": "é\ud800", "list": [1, None, 2.5]}
    answer = function.invoke(event)
    assert answer == {"event": event, "pid": function.pid}
    assert function.pid != os.getpid()


def test_large_events_and_answers_come_whole(function):
    event = "x" * 3_000_000
    assert function.invoke(event)["event"] == event


def test_the_handler_is_told_its_time_as_lambda_does(function):
    context = function.invoke("context", timeout_seconds=7)
    assert 6000 < context["left"] <= 7000
    assert context["function_name"] == "acts"
    assert context["memory_limit_in_mb"] == 256
    again = function.invoke("context")
    assert again["aws_request_id"] != context["aws_request_id"]


def test_the_function_sees_the_environment_that_is_given_and_no_other(write):
    with FunctionProcess(write(ACTS), {"ONE": "1"}) as process:
        seen = process.invoke("environ")
    assert seen["ONE"] == "1"
    assert not {"HOME", "PATH", "PYTEST_CURRENT_TEST"} & seen.keys()


def test_a_handlers_failure_is_its_code_alone(function):
    with pytest.raises(FunctionFailed) as failed:
        function.invoke("fail")
    assert failed.value.code == "store_unavailable"
    with pytest.raises(FunctionFailed, match=r"^acts failed: ValueError$"):
        function.invoke("raise")
    with pytest.raises(FunctionFailed, match=r"^acts failed: TypeError$"):
        function.invoke("set")
    assert function.invoke(1)["event"] == 1


def test_a_handler_over_its_time_is_ended(function):
    begun = time.monotonic()
    with pytest.raises(FunctionTimedOut, match=r"limit of 0\.2 s"):
        function.invoke({"sleep": 30}, timeout_seconds=0.2)
    assert time.monotonic() - begun < 2
    assert not function.is_running
    with pytest.raises(FunctionDied):
        function.invoke(1)


def test_a_process_that_exits_is_told_apart(function):
    with pytest.raises(FunctionDied) as died:
        function.invoke("exit")
    assert died.value.status == 3


def test_a_kill_ends_it_in_the_middle_of_its_work(function):
    killer = Timer(0.2, function.kill)
    killer.start()
    with pytest.raises(FunctionDied) as died:
        function.invoke({"sleep": 30})
    killer.join()
    assert died.value.status == -signal.SIGKILL


def test_two_threads_take_turns(function):
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(function.invoke, range(20)))
    assert [answer["event"] for answer in answers] == list(range(20))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_missing_setting_is_reported_as_that_sentence(name):
    with pytest.raises(FunctionNotStarted) as failed:  # noqa: SIM117 - one line each
        with FunctionProcess(function_file(name), {}):
            pass
    assert str(failed.value) == "KYCOURIER_APP_ID: is not set"
    assert failed.value.is_setting


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_module", "acts did not start: ModuleNotFoundError"),
        ("x = 1", "acts did not start: AttributeError"),
        ("import os; os._exit(5)", "acts did not start: .*exit code 5.*"),
    ],
)
def test_a_file_that_does_not_load_is_reported(write, text, said):
    process = FunctionProcess(write(text), {})
    with pytest.raises(FunctionNotStarted, match=said) as failed:
        process.wait_until_ready()
    process.close()
    assert not failed.value.is_setting


def test_a_file_that_takes_too_long_to_load_is_ended(write):
    process = FunctionProcess(write("import time; time.sleep(30)"), {})
    with pytest.raises(FunctionNotStarted, match=r"not ready within 0\.2 s"):
        process.wait_until_ready(0.2)
    assert not process.is_running
    process.close()


def test_what_the_function_prints_goes_to_its_log(write, tmp_path):
    log = tmp_path / "functions.log"
    with log.open("ab") as stream, FunctionProcess(write(ACTS), {}, log=stream) as acts:
        acts.invoke(1)
        acts.kill()
    assert log.read_text() == "printed by the function\n"


def test_closing_ends_an_idle_process_and_a_busy_one(write):
    idle, busy = (FunctionProcess(write(ACTS), {}) for _ in range(2))
    idle.wait_until_ready()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(busy.invoke, {"sleep": 30})
        while not busy._ready:
            time.sleep(0.01)
        begun = time.monotonic()
        close_all([idle, busy])
        assert time.monotonic() - begun < 2
        with pytest.raises(FunctionDied):
            asked.result()
    assert not idle.is_running
    assert not busy.is_running
    close_all([idle, busy])


def test_it_ends_with_whoever_started_it(write):
    starter = f"""
import sys, time
from kycourier_devkit.functions.process import FunctionProcess
process = FunctionProcess({str(write(ACTS))!r}, {{}})
process.wait_until_ready()
print(process.pid, flush=True)
time.sleep(30)
"""
    with subprocess.Popen(
        [sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True
    ) as parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    ends_at = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < ends_at:
        time.sleep(0.02)
    assert not is_alive(pid)


def test_functions_that_are_not_there_are_told_of(monkeypatch, tmp_path):
    monkeypatch.setattr(function_process, "__file__", str(tmp_path / "a/b/c/d.py"))
    with pytest.raises(UsageProblem, match=r"functions/orders_api\.py is not beside"):
        function_file("orders_api")
