"""Particulars of the SCF runtime: a dict as context, variables, no libraries."""

from contextlib import closing

import pytest

from kycourier_devkit.emulators.scf_runtime.deployment import deploy
from kycourier_devkit.errors import FunctionFailedError, FunctionStartError, UsageError
from support.processes.probe_functions import probe_on_scf
from support.sample_events import sample_event, shape

pytestmark = pytest.mark.slow


@pytest.fixture
def actors(tmp_path):
    with closing(probe_on_scf(tmp_path)) as actors:
        yield actors


def test_context_is_the_documented_dict(actors):
    context = actors.start().invoke("context", timeout_seconds=7)
    documented = sample_event("scf_context")
    assert shape({name: context[name] for name in documented}) == shape(documented)
    assert (context["function_name"], context["time_limit_in_ms"]) == ("acts", 7000)


def test_own_variables_do_not_override_those_of_scf(actors):
    variables = {"ONE": "1", "SCF_FUNCTIONNAME": "other", "TENCENTCLOUD_REGION": "ap-x"}
    seen = actors.start(environ=variables).invoke("environ")
    environ, user = seen["environ"], str(actors.path.parent)
    opt = str(actors.path.parents[2] / "opt")
    expected = {
        "ONE": "1",
        "TENCENTCLOUD_REGION": "ap-x",
        "SCF_FUNCTIONNAME": "acts",
        "TENCENTCLOUD_RUNENV": "SCF",
    }
    assert expected.items() <= environ.items()
    assert environ["PYTHONPATH"] == f"{user}:{opt}"
    assert seen["cwd"] == user
    assert [path for path in seen["path"] if "site-packages" in path] == []
    assert "AWS_LAMBDA_FUNCTION_NAME" not in environ


def test_renewed_credentials_reach_the_running_function(actors):
    keys = {"TENCENTCLOUD_SECRETID": "AKIDfirst"}
    function = actors.start(role_environ=lambda: dict(keys))
    first = function.invoke("environ")["environ"]
    pid = function.pid
    keys["TENCENTCLOUD_SECRETID"] = "AKIDsecond"
    second = function.invoke("environ")["environ"]

    seen = [environ["TENCENTCLOUD_SECRETID"] for environ in (first, second)]
    assert seen == ["AKIDfirst", "AKIDsecond"]
    assert function.pid == pid


def test_no_library_is_installed(actors):
    with pytest.raises(FunctionStartError, match="ModuleNotFoundError"):
        actors.start("import msgspec").wait_until_ready()


def test_function_runs_on_the_newest_python_of_scf(actors):
    text = "import sys\ndef handler(event, context): return sys.version_info[:2]"
    assert actors.start(text).invoke(1) == [3, 10]


def test_tracebacks_go_to_the_log(actors, tmp_path):
    log = tmp_path / "functions.log"
    with log.open("ab") as stream:
        acts = actors.start(log=stream)
        with pytest.raises(FunctionFailedError):
            acts.invoke("raise")
        acts.close()
    printed, *trace = log.read_text().splitlines()
    assert printed == "printed by the function"
    assert trace[-1] == "ValueError: a secret"


def test_missing_package_is_reported(tmp_path):
    with pytest.raises(UsageError, match=r"built: run `make package-tencent`$"):
        deploy(tmp_path, tmp_path / "scf")
