"""The contract of RunningFunction, on the local, Lambda and SCF runtimes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest

from kycourier_devkit.emulators.running_function import RunningFunction, close_all
from kycourier_devkit.errors import (
    FunctionExitedError,
    FunctionFailedError,
    FunctionStartError,
    FunctionTimeoutError,
)
from support.processes.probe_functions import (
    FAILING_START_SOURCE,
    ProbeFunctions,
    probe_in_process,
    probe_on_lambda,
    probe_on_scf,
)

pytestmark = pytest.mark.slow

BUILD = {"local": probe_in_process, "lambda": probe_on_lambda, "scf": probe_on_scf}
ON_LAMBDA = (pytest.mark.enable_socket, pytest.mark.slow)
KINDS = ["local", "scf", pytest.param("lambda", marks=ON_LAMBDA)]
CHILD = ("local", "scf")
NO_JSON = dict.fromkeys(CHILD, "TypeError") | {"lambda": r"Runtime\.MarshalError"}
NO_MODULE = dict.fromkeys(CHILD, "ModuleNotFoundError") | {
    "lambda": r"Runtime\.ImportModuleError"
}
NO_HANDLER = dict.fromkeys(CHILD, "AttributeError") | {
    "lambda": r"Runtime\.HandlerNotFound"
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def actors(kind: str, tmp_path: Path) -> Iterator[ProbeFunctions]:
    with closing(BUILD[kind](tmp_path)) as actors:
        yield actors


@pytest.fixture
def function(actors: ProbeFunctions) -> RunningFunction:
    return actors.start()


def test_invoke_returns_the_handlers_result(function):
    event = {"name": "é漢", "list": [1, None, 2.5], "large": "x" * 3_000_000}
    result = function.invoke(event)
    assert result == {"event": event, "pid": function.pid}
    assert function.invoke(1)["pid"] == result["pid"] != os.getpid()
    assert function.name == "acts"


def test_context_has_time_limit_name_and_request_id(function):
    context = function.invoke("context", timeout_seconds=7)
    assert 6000 < context["left"] <= 7000
    assert context["function_name"] == "acts"
    again = function.invoke("context")
    assert again["aws_request_id"] != context["aws_request_id"]


def test_function_does_not_inherit_the_environment(actors):
    environ = actors.start(environ={"ONE": "1"}).invoke("environ")["environ"]
    assert environ["ONE"] == "1"
    assert not {"HOME", "PYTEST_CURRENT_TEST", "VIRTUAL_ENV"} & environ.keys()


def test_handlers_error_is_reported_by_code_alone(function, kind):
    with pytest.raises(FunctionFailedError) as failed:
        function.invoke("fail")
    assert failed.value.code == "store_unavailable"
    with pytest.raises(FunctionFailedError, match=r"^acts failed: ValueError$"):
        function.invoke("raise")
    with pytest.raises(FunctionFailedError, match=rf"^acts failed: {NO_JSON[kind]}$"):
        function.invoke("set")
    assert function.invoke(1)["event"] == 1


def test_handler_over_its_time_limit_is_killed(function):
    function.wait_until_ready()
    begun = time.monotonic()
    with pytest.raises(FunctionTimeoutError, match=r"limit of 0\.2 s"):
        function.invoke({"sleep": 30}, timeout_seconds=0.2)
    assert time.monotonic() - begun < 2
    assert not function.is_running


def test_exit_status_is_reported(function):
    with pytest.raises(FunctionExitedError) as died:
        function.invoke("exit")
    assert died.value.status == 3


def test_kill_ends_a_running_invocation(function):
    function.wait_until_ready()
    killer = Timer(0.2, function.kill)
    killer.start()
    with pytest.raises(FunctionExitedError) as died:
        function.invoke({"sleep": 30})
    killer.join()
    assert died.value.status == -signal.SIGKILL


def test_two_threads_take_turns_until_the_with_statement_ends(function):
    with function, ThreadPoolExecutor(2) as pool:
        assert function.is_running
        results = list(pool.map(function.invoke, range(20)))
    assert not function.is_running
    assert [result["event"] for result in results] == list(range(20))


def test_invalid_setting_is_reported(actors):
    with pytest.raises(FunctionStartError) as failed:
        actors.start(FAILING_START_SOURCE).wait_until_ready()
    assert str(failed.value) == "KYCOURIER_STATE: is not set"
    assert failed.value.is_setting


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_module", NO_MODULE),
        ("x = 1", NO_HANDLER),
        ("1 / 0", dict.fromkeys(BUILD, "ZeroDivisionError")),
        ("import os; os._exit(5)", dict.fromkeys(BUILD, ".*exit code 5.*")),
    ],
)
def test_file_that_does_not_load_is_reported(actors, kind, text, reason):
    with pytest.raises(
        FunctionStartError, match=f"^acts did not start: {reason[kind]}$"
    ) as failed:
        actors.start(text).wait_until_ready()
    assert not failed.value.is_setting
    with pytest.raises(FunctionStartError):
        actors.start(text).invoke(1)


def test_file_that_loads_too_slowly_is_killed(actors):
    process = actors.start("import time; time.sleep(30)")
    with pytest.raises(FunctionStartError, match=r"not ready within 0\.2 s"):
        process.wait_until_ready(0.2)
    assert not process.is_running


def test_output_of_the_function_goes_to_its_log(actors, tmp_path):
    log = tmp_path / "functions.log"
    with log.open("ab") as stream:
        acts = actors.start(log=stream)
        acts.invoke(1)
        acts.kill()
    assert log.read_text() == "printed by the function\n"


def test_close_all_ends_idle_and_busy_processes(actors):
    idle, busy = actors.start(), actors.start()
    for process in (idle, busy):
        process.wait_until_ready()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(busy.invoke, {"sleep": 30})
        while not busy._lock.locked():
            time.sleep(0.01)
        begun = time.monotonic()
        close_all([idle, busy])
        assert time.monotonic() - begun < 2
        with pytest.raises(FunctionExitedError):
            running.result()
    assert not idle.is_running
    assert not busy.is_running
    with pytest.raises(FunctionExitedError):
        idle.invoke(1)


def test_process_ends_with_its_parent(actors):
    program = f"""{actors.program}
import time
print(process.pid, flush=True)
time.sleep(30)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    ends_at = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < ends_at:
        time.sleep(0.02)
    assert not is_alive(pid)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
