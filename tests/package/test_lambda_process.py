"""What only Lambda's own client has: a context, variables, one life after another."""

import json
import os
import time
from contextlib import closing

import pytest

from acting import SERVICE, SETTING, act_on_lambda
from kycourier_devkit.errors import (
    FunctionDied,
    FunctionFailed,
    FunctionNotStarted,
    FunctionTimedOut,
    UsageProblem,
)
from kycourier_devkit.lambda_runtime.deployment import unpack

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


@pytest.fixture
def actors(tmp_path):
    with closing(act_on_lambda(tmp_path)) as actors:
        yield actors


@pytest.fixture
def function(actors):
    return actors.start()


def test_the_handler_has_lambdas_own_context(function):
    context = function.invoke("context")
    assert context["function_version"] == "$LATEST"
    assert context["memory_limit_in_mb"] == "512"
    assert context["log_group_name"] == "/aws/lambda/acts"
    assert context["invoked_function_arn"].startswith("arn:aws:lambda:eu-west-1:")


def test_a_function_in_china_has_an_arn_of_its_partition(actors):
    context = actors.start(environ={"AWS_REGION": "cn-north-1"}).invoke("context")
    arn = "arn:aws-cn:lambda:cn-north-1:123456789012:function:acts"
    assert context["invoked_function_arn"] == arn


def test_the_function_sees_what_lambda_gives_before_its_own_variables(actors, tmp_path):
    given = {"AWS_REGION": "cn-north-1", "LAMBDA_TASK_ROOT": "elsewhere"}
    seen = actors.start(environ=given).invoke("environ")
    environ, task = seen["environ"], str(actors.path.parent)
    assert environ["AWS_REGION"] == "cn-north-1"
    assert environ["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert environ["LAMBDA_TASK_ROOT"] == seen["cwd"] == task
    assert environ["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    layer = str(tmp_path / "opt/python")
    assert seen["path"].index(task) < seen["path"].index(layer)
    assert not any(path.startswith(str(SERVICE.parents[3])) for path in _own(seen))


def _own(seen):
    """Give the paths that are not the runtime's."""
    return [path for path in seen["path"] if "lambda_runtime" not in path]


def test_what_was_ended_at_its_time_starts_afresh(function):
    before = function.invoke(1)["pid"]
    with pytest.raises(FunctionTimedOut):
        function.invoke({"sleep": 30}, timeout_seconds=0.2)
    assert function.invoke(1)["pid"] not in {before, os.getpid()}


def test_what_exited_starts_afresh(function):
    with pytest.raises(FunctionDied):
        function.invoke("exit")
    assert function.invoke(1)["event"] == 1


def test_what_was_killed_between_two_events_starts_afresh(function):
    before = function.invoke(1)["pid"]
    function.kill()
    assert function.invoke(1)["pid"] != before


def test_what_did_not_start_is_tried_afresh(actors):
    process = actors.start(SETTING)
    for _ in range(2):
        with pytest.raises(FunctionNotStarted) as failed:
            process.wait_until_ready()
        assert str(failed.value) == "KYCOURIER_STATE: is not set"
        assert failed.value.is_setting


def test_an_invocation_is_not_held_up_by_the_connection(function):
    function.invoke(0)
    begun = time.monotonic()
    for number in range(20):
        function.invoke(number)
    assert time.monotonic() - begun < 0.8  # with Nagle's algorithm on: 1.8 s


def test_the_functions_errors_go_to_its_log(actors, tmp_path):
    log = tmp_path / "functions.log"
    with log.open("ab") as stream:
        acts = actors.start(environ={"AWS_LAMBDA_LOG_FORMAT": "JSON"}, log=stream)
        with pytest.raises(FunctionFailed):
            acts.invoke("raise")
        acts.close()
    said, error = log.read_text().splitlines()
    assert said == "printed by the function"
    assert json.loads(error)["errorType"] == "ValueError"


def test_a_package_that_is_not_built_is_told_of(tmp_path):
    with pytest.raises(UsageProblem, match=r"service\.zip is not built: run `make"):
        unpack(tmp_path / "service.zip", tmp_path)
