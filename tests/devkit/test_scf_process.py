"""What only SCF has: a context that is a dict, variables, and nothing installed."""

import json
from contextlib import closing
from datetime import datetime, timezone

import pytest

from acting import act_on_scf
from api_caller import sample
from kycourier_devkit.errors import FunctionFailed, FunctionNotStarted, UsageProblem
from kycourier_devkit.functions.trigger_events import HttpCall
from kycourier_devkit.scf_runtime.deployment import deploy
from kycourier_devkit.scf_runtime.events import (
    build_ckafka_event,
    build_timer_event,
    build_url_event,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def actors(tmp_path):
    with closing(act_on_scf(tmp_path)) as actors:
        yield actors


def shape(value):
    """Give a value's members and their types."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])]
    return type(value).__name__


def test_the_context_is_the_documented_dict(actors):
    context = actors.start().invoke("context", timeout_seconds=7)
    documented = sample("scf_context")
    assert shape({name: context[name] for name in documented}) == shape(documented)
    assert (context["function_name"], context["time_limit_in_ms"]) == ("acts", 7000)


def test_the_function_sees_scfs_variables_and_its_own_but_cannot_set_scfs(actors):
    given = {"ONE": "1", "SCF_FUNCTIONNAME": "other", "TENCENTCLOUD_REGION": "ap-x"}
    seen = actors.start(environ=given).invoke("environ")
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


def test_credentials_that_scf_renews_reach_the_function_as_it_runs(actors):
    keys = {"TENCENTCLOUD_SECRETID": "AKIDfirst"}
    acts = actors.start(role=lambda: dict(keys))
    first = acts.invoke("environ")["environ"], acts.pid
    keys["TENCENTCLOUD_SECRETID"] = "AKIDsecond"
    second = acts.invoke("environ")["environ"], acts.pid

    seen = [environ["TENCENTCLOUD_SECRETID"] for environ, _ in (first, second)]
    assert seen == ["AKIDfirst", "AKIDsecond"]
    assert first[1] == second[1]


def test_no_library_is_installed_beside_the_packages(actors):
    with pytest.raises(FunctionNotStarted, match="ModuleNotFoundError"):
        actors.start("import msgspec").wait_until_ready()


def test_it_runs_the_newest_python_of_scf(actors):
    text = "import sys\ndef handler(event, context): return sys.version_info[:2]"
    assert actors.start(text).invoke(1) == [3, 10]


def test_the_functions_errors_go_to_its_log(actors, tmp_path):
    log = tmp_path / "functions.log"
    with log.open("ab") as stream:
        acts = actors.start(log=stream)
        with pytest.raises(FunctionFailed):
            acts.invoke("raise")
        acts.close()
    said, *trace = log.read_text().splitlines()
    assert said == "printed by the function"
    assert trace[-1] == "ValueError: a secret"


def test_a_package_that_is_not_built_is_told_of(tmp_path):
    with pytest.raises(UsageProblem, match=r"built: run `make package-tencent`$"):
        deploy(tmp_path, tmp_path / "scf")


AT = datetime(2026, 1, 1, 0, 5, tzinfo=timezone.utc)


def test_events_are_built_as_documented():
    batch = sample("scf_ckafka_batch")
    bodies = [each["Ckafka"]["msgBody"] for each in batch["Records"]]
    built = build_ckafka_event(bodies, first_offset=36)
    assert shape(built) == shape(batch)
    read = [
        (each["Ckafka"]["offset"], each["Ckafka"]["msgBody"])
        for each in built["Records"]
    ]
    assert read == list(zip((36, 37, 38), bodies, strict=True))
    assert build_timer_event("kycourier-sweep", at=AT) == sample("scf_timer")


def test_a_request_is_built_as_documented():
    documented = sample("scf_function_url")
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
