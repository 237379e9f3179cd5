"""Particulars of the SCF runtime: a dict as context, variables, no libraries."""

import json
from contextlib import closing
from datetime import datetime, timezone

import pytest

from kycourier_devkit.emulators.http_call import HttpCall
from kycourier_devkit.emulators.scf_runtime.deployment import deploy
from kycourier_devkit.emulators.scf_runtime.events import (
    build_ckafka_event,
    build_timer_event,
    build_url_event,
)
from kycourier_devkit.errors import FunctionFailedError, FunctionStartError, UsageError
from support.processes.probe_functions import probe_on_scf
from support.sample_events import sample_event

pytestmark = pytest.mark.slow


@pytest.fixture
def actors(tmp_path):
    with closing(probe_on_scf(tmp_path)) as actors:
        yield actors


def shape(value):
    """Return the types of a value's members."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])]
    return type(value).__name__


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
    assert (environ["ONE"], environ["TENCENTCLOUD_REGION"]) == ("1", "ap-x")
    assert (environ["SCF_FUNCTIONNAME"], environ["TENCENTCLOUD_RUNENV"]) == (
        "acts",
        "SCF",
    )
    assert environ["PYTHONPATH"] == f"{user}:{opt}"
    assert seen["cwd"] == user
    assert [path for path in seen["path"] if "site-packages" in path] == []
    assert "AWS_LAMBDA_FUNCTION_NAME" not in environ


def test_renewed_credentials_reach_the_running_function(actors):
    keys = {"TENCENTCLOUD_SECRETID": "AKIDfirst"}
    acts = actors.start(role_environ=lambda: dict(keys))
    first = acts.invoke("environ")["environ"], acts.pid
    keys["TENCENTCLOUD_SECRETID"] = "AKIDsecond"
    second = acts.invoke("environ")["environ"], acts.pid

    seen = [environ["TENCENTCLOUD_SECRETID"] for environ, _ in (first, second)]
    assert seen == ["AKIDfirst", "AKIDsecond"]
    assert first[1] == second[1]


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


AT = datetime(2026, 1, 1, 0, 5, tzinfo=timezone.utc)


def test_events_are_built_as_documented():
    batch = sample_event("scf_ckafka_batch")
    bodies = [each["Ckafka"]["msgBody"] for each in batch["Records"]]
    built = build_ckafka_event(bodies, first_offset=36)
    assert shape(built) == shape(batch)
    read = [
        (each["Ckafka"]["offset"], each["Ckafka"]["msgBody"])
        for each in built["Records"]
    ]
    assert read == list(zip((36, 37, 38), bodies, strict=True))
    assert build_timer_event("kycourier-sweep", at=AT) == sample_event("scf_timer")


def test_a_request_is_built_as_documented():
    documented = sample_event("scf_function_url")
    call = HttpCall(
        method="PUT",
        path=documented["path"],
        query="note=a%20b&trace=on",
        headers=list(documented["headers"].items()),
        body=documented["body"].encode(),
    )
    built = build_url_event(call)
    assert built.pop("headers") == {
        name.lower(): value for name, value in documented.pop("headers").items()
    }
    assert json.loads(json.dumps(built)) == documented
