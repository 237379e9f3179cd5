"""The emulator of SCF refuses what the cloud refuses, with the documented codes."""

import base64
import json
from typing import Any

import pytest

from kycourier_devkit.emulators.tencent.scf import ScfPrerequisites, ScfService
from kycourier_devkit.emulators.tencent.tc3 import CallRefusedError
from support.tencent_account import REGION, ROLE, TOPIC, VPC
from support.tencent_deployment import build_zip

INVALID, NOT_FOUND = "InvalidParameterValue.", "ResourceNotFound."
LONG = "a" * 4096
IN_COS = {"CosBucketName": "b", "CosObjectName": "/k"}
BAD_TRIGGER = INVALID + "TriggerDesc"
ONE_LAYER = [{"LayerName": "l", "LayerVersion": 1}]
CODE = {"ZipFile": base64.b64encode(build_zip(index="1")).decode()}
GOOD: dict[str, Any] = {
    "FunctionName": "fun-1",
    "Handler": "index.handler",
    "Runtime": "Python3.10",
    "Role": ROLE,
    "Code": CODE,
}
TIMER = {
    "FunctionName": "fun-1",
    "TriggerName": "timer",
    "Type": "timer",
    "TriggerDesc": "0 */5 * * * * *",
    "Enable": "OPEN",
}
CKAFKA = {"maxMsgNum": "1", "offset": "latest", "retry": "1", "timeOut": "1"}
QUEUE = {"Type": "ckafka", "TriggerName": TOPIC}
HTTP = {
    "AuthType": "NONE",
    "NetConfig": {"EnableIntranet": False, "EnableExtranet": True},
}


@pytest.fixture
def scf() -> ScfService:
    return ScfService(ScfPrerequisites({ROLE}, {VPC}, {TOPIC}), polls=1)


@pytest.fixture
def active(scf: ScfService) -> ScfService:
    """Return an SCF with one function that can be changed."""
    call(scf, "CreateFunction", **GOOD)
    finish_change(scf)
    return scf


def call(scf: ScfService, action: str, **members: object) -> dict[str, Any]:
    return scf.call(action, members, REGION)


def code(scf: ScfService, action: str, **members: object) -> str:
    with pytest.raises(CallRefusedError) as caught:
        call(scf, action, **members)
    return caught.value.code


def finish_change(scf: ScfService) -> None:
    for _ in range(2):
        call(scf, "GetFunction", FunctionName="fun-1")


def variables(**pairs: str) -> dict[str, Any]:
    return {"Variables": [{"Key": key, "Value": text} for key, text in pairs.items()]}


@pytest.mark.parametrize(
    ("change", "symbol"),
    [
        ({"FunctionName": "1fun"}, INVALID + "FunctionName"),
        ({"Handler": "handler"}, INVALID + "Handler"),
        ({"Runtime": "Python3.13"}, INVALID + "Runtime"),
        ({"Description": "a - b"}, INVALID + "Description"),
        ({"MemorySize": 200}, INVALID + "Memory"),
        ({"Timeout": 901}, "LimitExceeded.Timeout"),
        ({"Role": "another"}, NOT_FOUND + "Role"),
        ({"VpcConfig": {"VpcId": "v", "SubnetId": "s"}}, NOT_FOUND + "Vpc"),
        ({"Environment": variables(A="")}, INVALID + "Environment"),
        ({"Environment": variables(A=LONG)}, INVALID + "EnvironmentExceededLimit"),
        ({"Environment": variables(SCF_A="a")}, INVALID + "EnvironmentSystemProtect"),
        ({"Layers": ONE_LAYER * 6}, "LimitExceeded.Layers"),
        ({"Layers": ONE_LAYER}, NOT_FOUND + "LayerVersion"),
        ({"Code": {"ZipFile": "!"}}, INVALID + "ZipFileBase64BinasciiError"),
        ({"Code": {"ZipFile": "aGVsbG8="}}, INVALID + "ZipFile"),
        ({"Code": {}}, "MissingParameter.Code"),
        (
            {"Code": IN_COS | {"CosBucketName": "b-1250000000"}},
            INVALID + "CosBucketName",
        ),
        ({"Code": IN_COS}, NOT_FOUND + "CosObject"),
        ({"Namespace": "absent"}, NOT_FOUND + "Namespace"),
        ({"Tempo": "quick"}, "UnknownParameter"),
        ({"Environment": {"Vars": []}}, "UnknownParameter"),
    ],
)
def test_invalid_function_is_refused_with_documented_code(scf, change, symbol):
    assert code(scf, "CreateFunction", **{**GOOD, **change}) == symbol
    assert scf.functions == {}


def test_function_is_created_once_and_updated_only_when_active(scf):
    call(scf, "CreateFunction", **GOOD)
    assert code(scf, "CreateFunction", **GOOD) == "ResourceInUse.Function"
    name = {"FunctionName": "fun-1"}
    changes = {
        "UpdateFunctionCode": {"Code": CODE},
        "UpdateFunctionConfiguration": {"Timeout": 9},
        "CreateTrigger": TIMER,
        "UpdateTrigger": TIMER,
        "PutReservedConcurrencyConfig": {"ReservedConcurrencyMem": 128},
        "UpdateFunctionEventInvokeConfig": {"AsyncTriggerConfig": {}},
    }
    for action, members in changes.items():
        assert code(scf, action, **{**name, **members}).startswith("FailedOperation.")

    finish_change(scf)
    call(scf, "UpdateFunctionConfiguration", FunctionName="fun-1", Timeout=9)
    response = call(scf, "GetFunction", FunctionName="fun-1")
    assert (response["Status"], response.get("Timeout")) == ("Updating", None)
    finish_change(scf)
    response = call(scf, "GetFunction", FunctionName="fun-1")
    assert (response["Status"], response["Timeout"]) == ("Active", 9)


@pytest.mark.parametrize(
    ("change", "symbol"),
    [
        ({"Type": "cmq"}, INVALID + "Type"),
        ({"Type": "apigw"}, INVALID + "Type"),
        ({"TriggerDesc": "*/5 * * * *"}, INVALID + "TriggerCronConfig"),
        ({"TriggerDesc": "rate(5 minutes)"}, INVALID + "TriggerCronConfig"),
        ({"Enable": "YES"}, INVALID + "Enable"),
        ({"Type": "ckafka"}, NOT_FOUND + "Ckafka"),
        (
            {"Type": "ckafka", "TriggerName": TOPIC, "TriggerDesc": "latest"},
            BAD_TRIGGER,
        ),
        (QUEUE | {"TriggerDesc": json.dumps(CKAFKA | {"retry": 1})}, BAD_TRIGGER),
        (
            {"Type": "http", "TriggerDesc": json.dumps({"AuthType": "IAM"})},
            BAD_TRIGGER,
        ),
        ({"FunctionName": "absent"}, NOT_FOUND + "Function"),
    ],
)
def test_invalid_trigger_is_refused_with_documented_code(active, change, symbol):
    assert code(active, "CreateTrigger", **{**TIMER, **change}) == symbol


def test_listed_triggers_differ_from_the_requests(active):
    http = {"Type": "http", "TriggerName": "url", "TriggerDesc": json.dumps(HTTP)}
    queue = QUEUE | {"TriggerDesc": json.dumps(CKAFKA)}
    for trigger in ({}, http, queue):
        call(active, "CreateTrigger", **{**TIMER, **trigger})
    assert code(active, "CreateTrigger", **TIMER) == "ResourceInUse.Trigger"

    changed = json.dumps(CKAFKA | {"offset": "earliest", "maxMsgNum": "9"})
    call(active, "UpdateTrigger", **{**TIMER, **queue, "TriggerDesc": changed})
    closed = {name: TIMER[name] for name in ("FunctionName", "TriggerName", "Type")}
    call(active, "UpdateTrigger", **closed, Enable="CLOSE")

    listed = call(active, "ListTriggers", FunctionName="fun-1")["Triggers"]
    triggers = {
        each["Type"]: (each["Enable"], json.loads(each["TriggerDesc"]))
        for each in listed
    }
    assert triggers["timer"] == (0, {"cron": "0 */5 * * * * *"})
    assert triggers["http"][1]["NetConfig"]["ExtranetUrl"].startswith("https://")
    group = {"consumerGroupName": "made-by-scf"}
    assert triggers["ckafka"][1] == CKAFKA | group | {"maxMsgNum": "9"}


def test_layer_is_usable_after_it_is_published(scf):
    layer = {"LayerName": "l", "CompatibleRuntimes": ["Python3.10"], "Content": CODE}
    assert call(scf, "PublishLayerVersion", **layer) == {"LayerVersion": 1}
    uses = {**GOOD, "Layers": ONE_LAYER}
    assert code(scf, "CreateFunction", **uses) == INVALID + "Layers"

    call(scf, "GetLayerVersion", LayerName="l", LayerVersion=1)

    call(scf, "CreateFunction", **uses)
    assert code(scf, "ListLayerVersions", LayerName="other") == NOT_FOUND + "Layer"


@pytest.mark.parametrize(
    ("config", "symbol"),
    [
        ({"RetryConfig": [{"RetryNum": 3}], "MsgTTL": 60}, "LimitExceeded.RetryNum"),
        ({"RetryConfig": [{"RetryNum": 0}], "MsgTTL": 59}, "LimitExceeded.MsgTTL"),
    ],
)
def test_retries_have_bounds(active, config, symbol):
    members = {"FunctionName": "fun-1", "AsyncTriggerConfig": config}
    assert code(active, "UpdateFunctionEventInvokeConfig", **members) == symbol


def test_delete_actions_do_not_exist(scf):
    for action in ("DeleteFunction", "DeleteTrigger", "DeleteLayerVersion"):
        assert code(scf, action) == "InvalidAction"
