"""Particulars of the Lambda runtime: its context, variables and restarts."""

import json
import os
from contextlib import closing

import pytest

from kycourier_devkit.emulators.packages import unpack
from kycourier_devkit.errors import (
    FunctionExitedError,
    FunctionFailedError,
    FunctionStartError,
    FunctionTimeoutError,
    UsageError,
)
from support.processes.probe_functions import (
    FAILING_START_SOURCE,
    SERVICE_FOLDER,
    probe_on_lambda,
)

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


@pytest.fixture
def actors(tmp_path):
    with closing(probe_on_lambda(tmp_path)) as actors:
        yield actors


@pytest.fixture
def function(actors):
    return actors.start()


def test_context_has_lambdas_members(function):
    context = function.invoke("context")
    assert context["function_version"] == "$LATEST"
    assert context["memory_limit_in_mb"] == "512"
    assert context["log_group_name"] == "/aws/lambda/acts"
    assert context["invoked_function_arn"].startswith("arn:aws:lambda:eu-west-1:")


def test_own_variables_do_not_override_those_of_lambda(actors, tmp_path):
    variables = {"AWS_REGION": "cn-north-1", "LAMBDA_TASK_ROOT": "elsewhere"}
    function = actors.start(environ=variables)
    arn = function.invoke("context")["invoked_function_arn"]
    assert arn == "arn:aws-cn:lambda:cn-north-1:123456789012:function:acts"
    seen = function.invoke("environ")
    environ, task = seen["environ"], str(actors.path.parent)
    assert environ["AWS_REGION"] == "cn-north-1"
    assert environ["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert environ["LAMBDA_TASK_ROOT"] == seen["cwd"] == task
    assert environ["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    layer = str(tmp_path / "opt/python")
    assert seen["path"].index(task) < seen["path"].index(layer)
    own = [path for path in seen["path"] if "lambda_runtime" not in path]
    assert not any(path.startswith(str(SERVICE_FOLDER.parents[3])) for path in own)


def test_ended_process_is_restarted(function):
    pids = {os.getpid(), function.invoke(1)["pid"]}
    with pytest.raises(FunctionTimeoutError):
        function.invoke({"sleep": 30}, timeout_seconds=0.2)
    pids.add(function.invoke(1)["pid"])
    with pytest.raises(FunctionExitedError):
        function.invoke("exit")
    pids.add(function.invoke(1)["pid"])
    function.kill()
    pids.add(function.invoke(1)["pid"])
    assert len(pids) == 5


def test_failed_start_is_repeated(actors):
    process = actors.start(FAILING_START_SOURCE)
    for _ in range(2):
        with pytest.raises(FunctionStartError) as failed:
            process.wait_until_ready()
        assert str(failed.value) == "KYCOURIER_STATE: is not set"
        assert failed.value.is_setting


def test_errors_go_to_the_log(actors, tmp_path):
    log = tmp_path / "functions.log"
    with log.open("ab") as stream:
        acts = actors.start(environ={"AWS_LAMBDA_LOG_FORMAT": "JSON"}, log=stream)
        with pytest.raises(FunctionFailedError):
            acts.invoke("raise")
        acts.close()
    printed, error = log.read_text().splitlines()
    assert printed == "printed by the function"
    assert json.loads(error)["errorType"] == "ValueError"


def test_missing_package_is_reported(tmp_path):
    with pytest.raises(UsageError, match=r"service\.zip is not built: run `make"):
        unpack(tmp_path / "service.zip", tmp_path)
