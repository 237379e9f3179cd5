"""The operator policy of the runbook is sufficient, and every action is needed."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from msgspec.structs import replace

from kycourier.adapters.aws.orders import DynamoOrderStore
from kycourier.core.orders.record import OrderState
from kycourier.core.orders.results import FinalReason
from kycourier.core.orders.state_machine import finish
from kycourier_devkit.cli.app import run
from kycourier_devkit.emulators.aws.stack import Stack
from support.aws.aws_proxy import AwsCall
from support.aws.clients import aws_environ
from support.aws.dynamo_table import open_table
from support.aws.iam import ACCOUNT, REGION, Permission, allows, covers
from support.fakes import START, FakeClock
from support.rendered_templates import NEEDS_TOOLS, as_list
from support.sample_records import EVENT, draft

pytestmark = NEEDS_TOOLS
RUNBOOK = Path(__file__).parents[2] / "docs/operations.md"
SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
KEYS = "dynamodb:LeadingKeys"


@pytest.fixture
def statements(stack: Stack) -> list[dict[str, Any]]:
    """Return the runbook's policy with the stack's names inserted."""
    [text] = re.findall(r"(?ms)^```json\n(.*?)^```", RUNBOOK.read_text("utf-8"))
    names = {
        "ACCOUNT": ACCOUNT,
        "STACK": stack.name,
        "TABLE": stack.outputs["StateTableName"],
        "QUEUE": stack.outputs["QueueUrl"].rpartition("/")[2],
        "/BUS": f"/{stack.outputs['EventBusName']}",
        "BUCKET": stack.outputs["EvidenceUri"].split("/")[2],
        ":R:": f":{REGION}:",
    }
    for word, name in names.items():
        text = text.replace(word, name)
    policy: dict[str, Any] = json.loads(text)
    return [_with_single_key_condition(each) for each in policy["Statement"]]


def _with_single_key_condition(statement: dict[str, Any]) -> dict[str, Any]:
    """Rewrite a condition on all keys of a call for calls that have one key."""
    condition = statement.get("Condition", {})
    found = condition.pop("ForAllValues:StringLike", None)
    return statement | ({"Condition": {"StringLike": found}} if found else {})


def need_of(call: AwsCall, stack: Stack) -> Permission:
    """Return the permission that an operator's call needs."""
    [service] = SERVICE.findall(call.headers["authorization"])
    arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:"
    match service:
        case "cloudformation":
            action = parse_qs(call.body.decode())["Action"][0]
            return Permission(f"{service}:{action}", f"{arn}stack/{stack.name}/1")
        case "lambda":
            name = unquote(call.path).split("/")[3]
            assert call.path.endswith("/configuration")
            return Permission(
                "lambda:GetFunctionConfiguration", f"{arn}function:{name}"
            )
        case "dynamodb":
            if call.name == "Query":
                index = f"{call.json['TableName']}/index/{call.json['IndexName']}"
                return Permission("dynamodb:Query", f"{arn}table/{index}")
            if call.name == "BatchGetItem":
                [(table, asked)] = call.json["RequestItems"].items()
                keys = [each["pk"]["S"] for each in asked["Keys"]]
                assert all(key.startswith("order/") for key in keys)
                key = keys[0]
            else:
                table, key = call.json["TableName"], call.json["Key"]["pk"]["S"]
            resource = f"{arn}table/{table}"
            return Permission(f"dynamodb:{call.name}", resource, ((KEYS, key),))
        case "sqs":
            name = call.json.get("QueueName") or call.json["QueueUrl"]
            return Permission(f"sqs:{call.name}", f"{arn}{name.rpartition('/')[2]}")
        case "events":
            if call.name == "DescribeEventBus":
                bus = call.json["Name"]
            else:
                [bus] = {each["EventBusName"] for each in call.json["Entries"]}
            return Permission(f"events:{call.name}", f"{arn}event-bus/{bus}")
        case "s3":
            bucket, _, key = call.path.partition("?")[0].strip("/").partition("/")
            action = "GetObject" if key else "ListBucket"
            assert call.method in {"GET", "HEAD"}
            return Permission(
                f"s3:{action}", f"arn:aws:s3:::{bucket}{'/' if key else ''}{key}"
            )
    raise LookupError(service)


@pytest.fixture
def operate(proxy, stack, monkeypatch):
    """Return a function that runs a command and returns its exit code and needs."""
    environ = aws_environ(proxy.url)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str) -> tuple[int, set[Permission]]:
        proxy.reset()
        code = run(arguments, environ)
        return code, {need_of(each, stack) for each in proxy.calls}

    return call


@pytest.fixture
def parked(moto, stack) -> str:
    table = open_table(moto, stack.outputs["StateTableName"], FakeClock())
    ended = finish(
        draft("PARKED1"),
        state=OrderState.PARKED,
        reason=None,
        result=FinalReason(code="-9011", name="ocr_failed"),
        event=replace(EVENT, source="/kycourier/SANDBOX1", subject="PARKED1"),
        now=START,
    )
    DynamoOrderStore(table).register(ended)
    return ended.order_no


def test_operators_commands_need_exactly_the_policy_of_the_runbook(
    operate, stack, statements, parked
):
    named = ["--stack", stack.name]
    ended = [
        operate(*named, "show", parked),
        operate(*named, "list", "--state", "parked"),
        operate(*named, "list"),
        operate(*named, "events", "list"),
        operate(*named, "resend", parked),
        operate(*named, "resume", parked),
        operate(*named, "resume"),
        operate("verify", stack.outputs["EvidenceUri"]),
    ]
    assert [code for code, _ in ended] == [0] * 7 + [1]  # there is no evidence yet

    needs = {need for _, needs in ended for need in needs}
    assert not {need for need in needs if not allows(statements, need)}
    granted = {
        (number, action)
        for number, statement in enumerate(statements)
        for action in as_list(statement["Action"])
    }
    used = {
        (number, need.action)
        for number, statement in enumerate(statements)
        for need in needs
        if covers(statement, need)
    }
    assert granted - used <= {(3, "s3:GetObject")}  # of evidence that is there


def test_operator_policy_does_not_reach_the_ticket_pair(stack, statements):
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/"
    resource = table + stack.outputs["StateTableName"]
    for key, allowed in (("order/A/1", True), ("lease/refresh/A", False)):
        need = Permission("dynamodb:GetItem", resource, ((KEYS, key),))
        assert allows(statements, need) is allowed
    assert not any(
        action.startswith(("secretsmanager:", "kms:"))
        for statement in statements
        for action in as_list(statement["Action"])
    )
