"""The contract of RunningFunction, held to by every process that runs one."""

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

from acting import SETTING, Actors, act_on_lambda, act_on_scf, act_plainly
from kycourier_devkit.errors import (
    FunctionDied,
    FunctionFailed,
    FunctionNotStarted,
    FunctionTimedOut,
)
from kycourier_devkit.functions.process import close_all
from kycourier_devkit.functions.running import RunningFunction

pytestmark = pytest.mark.slow

BUILD = {"plain": act_plainly, "lambda": act_on_lambda, "scf": act_on_scf}
ON_LAMBDA = (pytest.mark.enable_socket, pytest.mark.slow)
KINDS = ["plain", "scf", pytest.param("lambda", marks=ON_LAMBDA)]
PLAIN = ("plain", "scf")
NO_JSON = dict.fromkeys(PLAIN, "TypeError") | {"lambda": r"Runtime\.MarshalError"}
NO_MODULE = dict.fromkeys(PLAIN, "ModuleNotFoundError") | {
    "lambda": r"Runtime\.ImportModuleError"
}
NO_HANDLER = dict.fromkeys(PLAIN, "AttributeError") | {
    "lambda": r"Runtime\.HandlerNotFound"
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def actors(kind: str, tmp_path: Path) -> Iterator[Actors]:
    with closing(BUILD[kind](tmp_path)) as actors:
        yield actors


@pytest.fixture
def function(actors: Actors) -> RunningFunction:
    return actors.start()


def test_an_event_goes_in_and_the_answer_comes_back(function):
    event = {"name": "é漢", "list": [1, None, 2.5]}
    answer = function.invoke(event)
    assert answer == {"event": event, "pid": function.pid}
    assert function.invoke(1)["pid"] == answer["pid"] != os.getpid()
    assert function.name == "acts"


def test_large_events_and_answers_come_whole(function):
    event = "x" * 3_000_000
    assert function.invoke(event)["event"] == event


def test_the_handler_is_told_its_time_and_whose_call_it_is(function):
    context = function.invoke("context", timeout_seconds=7)
    assert 6000 < context["left"] <= 7000
    assert context["function_name"] == "acts"
    again = function.invoke("context")
    assert again["aws_request_id"] != context["aws_request_id"]


def test_the_function_sees_its_own_variables_and_none_of_ours(actors):
    environ = actors.start(environ={"ONE": "1"}).invoke("environ")["environ"]
    assert environ["ONE"] == "1"
    assert not {"HOME", "PYTEST_CURRENT_TEST", "VIRTUAL_ENV"} & environ.keys()


def test_a_handlers_failure_is_its_code_alone(function, kind):
    with pytest.raises(FunctionFailed) as failed:
        function.invoke("fail")
    assert failed.value.code == "store_unavailable"
    with pytest.raises(FunctionFailed, match=r"^acts failed: ValueError$"):
        function.invoke("raise")
    with pytest.raises(FunctionFailed, match=rf"^acts failed: {NO_JSON[kind]}$"):
        function.invoke("set")
    assert function.invoke(1)["event"] == 1


def test_a_handler_over_its_time_is_ended(function):
    function.wait_until_ready()
    begun = time.monotonic()
    with pytest.raises(FunctionTimedOut, match=r"limit of 0\.2 s"):
        function.invoke({"sleep": 30}, timeout_seconds=0.2)
    assert time.monotonic() - begun < 2
    assert not function.is_running


def test_a_process_that_exits_is_told_apart(function):
    with pytest.raises(FunctionDied) as died:
        function.invoke("exit")
    assert died.value.status == 3


def test_a_kill_ends_it_in_the_middle_of_its_work(function):
    function.wait_until_ready()
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


def test_it_is_ready_within_a_with_and_ended_after_it(function):
    with function as entered:
        assert entered is function
        assert function.is_running
    assert not function.is_running


def test_a_wrong_setting_is_reported_as_that_sentence(actors):
    with pytest.raises(FunctionNotStarted) as failed:
        actors.start(SETTING).wait_until_ready()
    assert str(failed.value) == "KYCOURIER_STATE: is not set"
    assert failed.value.is_setting


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_module", NO_MODULE),
        ("x = 1", NO_HANDLER),
        ("1 / 0", dict.fromkeys(BUILD, "ZeroDivisionError")),
        ("import os; os._exit(5)", dict.fromkeys(BUILD, ".*exit code 5.*")),
    ],
)
def test_a_file_that_does_not_load_is_reported(actors, kind, text, said):
    with pytest.raises(
        FunctionNotStarted, match=f"^acts did not start: {said[kind]}$"
    ) as failed:
        actors.start(text).wait_until_ready()
    assert not failed.value.is_setting


def test_a_file_that_does_not_load_is_reported_to_who_invokes(actors):
    with pytest.raises(FunctionNotStarted, match="ZeroDivisionError"):
        actors.start("1 / 0").invoke(1)


def test_a_file_that_takes_too_long_to_load_is_ended(actors):
    process = actors.start("import time; time.sleep(30)")
    with pytest.raises(FunctionNotStarted, match=r"not ready within 0\.2 s"):
        process.wait_until_ready(0.2)
    assert not process.is_running


def test_what_the_function_prints_goes_to_its_log(actors, tmp_path):
    log = tmp_path / "functions.log"
    with log.open("ab") as stream:
        acts = actors.start(log=stream)
        acts.invoke(1)
        acts.kill()
    assert log.read_text() == "printed by the function\n"


def test_closing_ends_an_idle_process_and_a_busy_one(actors):
    idle, busy = actors.start(), actors.start()
    for process in (idle, busy):
        process.wait_until_ready()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(busy.invoke, {"sleep": 30})
        while not busy._turn.locked():
            time.sleep(0.01)
        begun = time.monotonic()
        close_all([idle, busy])
        assert time.monotonic() - begun < 2
        with pytest.raises(FunctionDied):
            asked.result()
    assert not idle.is_running
    assert not busy.is_running
    close_all([idle, busy])
    with pytest.raises(FunctionDied):
        idle.invoke(1)


def test_it_ends_with_whoever_started_it(actors):
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
