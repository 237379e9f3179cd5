"""A function under Lambda's own runtime client."""

import json
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
    ToolMissing,
    UsageProblem,
)
from kycourier_devkit.functions.process import close_all
from kycourier_devkit.lambda_runtime.deployment import Deployment, find_runtime, unpack
from kycourier_devkit.lambda_runtime.process import LambdaProcess

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
ACTS = """
    import os, sys, time
    from kycourier.core.errors import HandlerFailed

    started = os.getpid()

    def handler(event, context):
        print("printed by the function")
        if event == "context":
            shown = ("function_name", "aws_request_id", "memory_limit_in_mb",
                     "invoked_function_arn", "function_version", "log_group_name")
            left = context.get_remaining_time_in_millis()
            return {name: getattr(context, name) for name in shown} | {"left": left}
        if event == "environ":
            return {"environ": dict(os.environ), "cwd": os.getcwd(), "path": sys.path}
        if event == "fail":
            raise HandlerFailed("store_unavailable")
        if event == "raise":
            raise ValueError("a reason")
        if event == "exit":
            os._exit(3)
        if event == "set":
            return {1}
        if isinstance(event, dict) and "sleep" in event:
            time.sleep(event["sleep"])
        return {"event": event, "pid": os.getpid()}
"""
SETTING = """
    from kycourier.core.errors import SettingError
    raise SettingError("KYCOURIER_STATE", "is not set")
"""
SERVICE = Path(__file__).parents[2] / "layers/service/python/kycourier"


@pytest.fixture
def deployed(tmp_path):
    try:
        python = find_runtime()
    except ToolMissing as missing:
        pytest.skip(str(missing))
    task, layers = tmp_path / "var/task", tmp_path / "opt/python"
    task.mkdir(parents=True)
    layers.mkdir(parents=True)
    (layers / "kycourier").symlink_to(SERVICE)
    return Deployment(task=task, opt=layers.parent, python=python)


@pytest.fixture
def start(deployed):
    started = []

    def start_function(text=ACTS, environ=(), **options):
        (deployed.task / "acts.py").write_text(textwrap.dedent(text))
        process = LambdaProcess("acts", deployed, dict(environ), **options)
        started.append(process)
        return process

    yield start_function
    close_all(started)


@pytest.fixture
def function(start):
    return start()


def test_an_event_goes_in_and_the_answer_comes_back(function):
    event = {"name": "é漢", "list": [1, None, 2.5]}
    answer = function.invoke(event)
    assert answer == {"event": event, "pid": function.pid}
    assert function.invoke(1)["pid"] == answer["pid"] != os.getpid()


def test_large_events_and_answers_come_whole(function):
    event = "x" * 3_000_000
    assert function.invoke(event)["event"] == event


def test_the_handler_has_lambdas_own_context(function):
    context = function.invoke("context", timeout_seconds=7)
    assert 6000 < context["left"] <= 7000
    assert context["function_name"] == "acts"
    assert context["function_version"] == "$LATEST"
    assert context["memory_limit_in_mb"] == "512"
    assert context["log_group_name"] == "/aws/lambda/acts"
    assert context["invoked_function_arn"].startswith("arn:aws:lambda:eu-west-1:")
    again = function.invoke("context")
    assert again["aws_request_id"] != context["aws_request_id"]


def test_a_function_in_china_has_an_arn_of_its_partition(start):
    context = start(environ={"AWS_REGION": "cn-north-1"}).invoke("context")
    arn = "arn:aws-cn:lambda:cn-north-1:123456789012:function:acts"
    assert context["invoked_function_arn"] == arn


def test_the_function_sees_what_lambda_gives_and_its_own_variables(start, deployed):
    given = {"ONE": "1", "AWS_REGION": "cn-north-1", "LAMBDA_TASK_ROOT": "elsewhere"}
    seen = start(environ=given).invoke("environ")
    environ = seen["environ"]
    assert (environ["ONE"], environ["AWS_REGION"]) == ("1", "cn-north-1")
    assert environ["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert environ["LAMBDA_TASK_ROOT"] == seen["cwd"] == str(deployed.task)
    assert environ["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert not {"HOME", "PYTEST_CURRENT_TEST", "VIRTUAL_ENV"} & environ.keys()
    task, layer = str(deployed.task), str(deployed.opt / "python")
    assert seen["path"].index(task) < seen["path"].index(layer)
    assert not any(path.startswith(str(SERVICE.parents[3])) for path in _own(seen))


def _own(seen):
    """Give the paths that are not the runtime's."""
    return [path for path in seen["path"] if "lambda_runtime" not in path]


def test_a_handlers_failure_is_its_code_alone(function):
    with pytest.raises(FunctionFailed) as failed:
        function.invoke("fail")
    assert failed.value.code == "store_unavailable"
    with pytest.raises(FunctionFailed, match=r"^acts failed: ValueError$"):
        function.invoke("raise")
    with pytest.raises(FunctionFailed, match=r"^acts failed: Runtime\.MarshalError$"):
        function.invoke("set")
    assert function.invoke(1)["event"] == 1


def test_a_handler_over_its_time_is_ended_and_starts_afresh(function):
    before = function.invoke(1)["pid"]
    begun = time.monotonic()
    with pytest.raises(FunctionTimedOut, match=r"limit of 0\.2 s"):
        function.invoke({"sleep": 30}, timeout_seconds=0.2)
    assert time.monotonic() - begun < 2
    assert not function.is_running
    assert function.invoke(1)["pid"] not in {before, os.getpid()}


def test_a_process_that_exits_is_told_apart_and_starts_afresh(function):
    with pytest.raises(FunctionDied) as died:
        function.invoke("exit")
    assert died.value.status == 3
    assert function.invoke(1)["event"] == 1


def test_a_kill_ends_it_in_the_middle_of_its_work(function):
    function.wait_until_ready()
    killer = Timer(0.2, function.kill)
    killer.start()
    with pytest.raises(FunctionDied) as died:
        function.invoke({"sleep": 30})
    killer.join()
    assert died.value.status == -signal.SIGKILL


def test_what_was_killed_between_two_events_starts_afresh(function):
    before = function.invoke(1)["pid"]
    function.kill()
    assert function.invoke(1)["pid"] != before


def test_two_threads_take_turns(function):
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(function.invoke, range(20)))
    assert [answer["event"] for answer in answers] == list(range(20))


def test_an_invocation_is_not_held_up_by_the_connection(function):
    function.invoke(0)
    begun = time.monotonic()
    for number in range(20):
        function.invoke(number)
    assert time.monotonic() - begun < 0.8  # with Nagle's algorithm on: 1.8 s


def test_a_wrong_setting_is_reported_as_that_sentence(start):
    process = start(SETTING)
    for _ in range(2):
        with pytest.raises(FunctionNotStarted) as failed:
            process.wait_until_ready()
        assert str(failed.value) == "KYCOURIER_STATE: is not set"
        assert failed.value.is_setting


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_module", r"acts did not start: Runtime\.ImportModuleError"),
        ("x = 1", r"acts did not start: Runtime\.HandlerNotFound"),
        ("1 / 0", "acts did not start: ZeroDivisionError"),
        ("import os; os._exit(5)", "acts did not start: .*exit code 5.*"),
    ],
)
def test_a_file_that_does_not_load_is_reported(start, text, said):
    with pytest.raises(FunctionNotStarted, match=said) as failed:
        start(text).invoke(1)
    assert not failed.value.is_setting


def test_a_file_that_takes_too_long_to_load_is_ended(start):
    process = start("import time; time.sleep(30)")
    with pytest.raises(FunctionNotStarted, match=r"not ready within 0\.2 s"):
        process.wait_until_ready(0.2)
    assert not process.is_running


def test_what_the_function_prints_and_its_errors_go_to_its_log(start, tmp_path):
    log = tmp_path / "functions.log"
    with log.open("ab") as stream:
        acts = start(environ={"AWS_LAMBDA_LOG_FORMAT": "JSON"}, log=stream)
        with pytest.raises(FunctionFailed):
            acts.invoke("raise")
        acts.close()
    said, error = log.read_text().splitlines()
    assert said == "printed by the function"
    assert json.loads(error)["errorType"] == "ValueError"


def test_closing_ends_an_idle_process_and_a_busy_one(start):
    idle, busy = start(), start()
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


def test_it_ends_with_whoever_started_it(deployed):
    (deployed.task / "acts.py").write_text(textwrap.dedent(ACTS))
    paths = map(str, (deployed.task, deployed.opt, deployed.python))
    starter = f"""
import time
from pathlib import Path
from kycourier_devkit.lambda_runtime.deployment import Deployment
from kycourier_devkit.lambda_runtime.process import LambdaProcess
task, opt, python = map(Path, {list(paths)!r})
deployed = Deployment(task=task, opt=opt, python=python)
process = LambdaProcess("acts", deployed, {{}})
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


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_a_package_that_is_not_built_is_told_of(tmp_path):
    with pytest.raises(UsageProblem, match=r"service\.zip is not built: run `make"):
        unpack(tmp_path / "service.zip", tmp_path)
