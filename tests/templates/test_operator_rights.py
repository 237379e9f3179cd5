"""The rights that the runbook gives to an operator are enough, and each is needed."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from msgspec.structs import replace

from aws.access import aws_environ
from aws.permissions import ACCOUNT, REGION, Need, allows, covers
from aws.proxy import AwsProxy, Call
from aws.table import open_held
from fakes import FakeClock
from kycourier.adapters.aws.orders import DynamoOrderStore
from kycourier.core.order_record import OutboxEvent, State
from kycourier_devkit.command_line import run
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.stand_ins.stack import Stack, make_stack
from records import draft, settled
from rendered import APP_ID, BY_TOOLS, as_list, copy_project

pytestmark = BY_TOOLS
RUNBOOK = Path(__file__).parents[2] / "docs/operations.md"
SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
KEYS = "dynamodb:LeadingKeys"


@pytest.fixture(scope="module")
def stack(moto: str, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    folder: Path = copy_project(tmp_path_factory.mktemp("operated"))
    name = f"operated-{folder.parent.name}".replace("_", "-")
    try:
        return make_stack(aws_environ(moto), APP_ID, project=folder, name=name)
    except ToolMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def statements(stack: Stack) -> list[dict[str, Any]]:
    """Read the runbook's policy, with the stack's names put in."""
    [text] = re.findall(r"(?ms)^```json\n(.*?)^```", RUNBOOK.read_text("utf-8"))
    names = {
        "ACCOUNT": ACCOUNT,
        "STACK": stack.name,
        "TABLE": stack.outputs["StateTableName"],
        "QUEUE": stack.outputs["QueueUrl"].rpartition("/")[2],
        "BUCKET": stack.outputs["EvidenceUri"].split("/")[2],
        ":R:": f":{REGION}:",
    }
    for word, name in names.items():
        text = text.replace(word, name)
    policy: dict[str, Any] = json.loads(text)
    return [_on_keys(each) for each in policy["Statement"]]


def _on_keys(statement: dict[str, Any]) -> dict[str, Any]:
    """Say a condition on each item's key as one on the one key of our calls."""
    condition = statement.get("Condition", {})
    found = condition.pop("ForAllValues:StringLike", None)
    return statement | ({"Condition": {"StringLike": found}} if found else {})


def need_of(call: Call, stack: Stack) -> Need:
    """Say what an operator's call takes."""
    [service] = SERVICE.findall(call.headers["authorization"])
    arn = f"arn:aws:{service}:{REGION}:{ACCOUNT}:"
    match service:
        case "cloudformation":
            action = parse_qs(call.body.decode())["Action"][0]
            return Need(f"{service}:{action}", f"{arn}stack/{stack.name}/1")
        case "lambda":
            name = unquote(call.path).split("/")[3]
            assert call.path.endswith("/configuration")
            return Need("lambda:GetFunctionConfiguration", f"{arn}function:{name}")
        case "dynamodb":
            table, key = call.json["TableName"], call.json["Key"]["pk"]["S"]
            resource = f"{arn}table/{table}"
            return Need(f"dynamodb:{call.name}", resource, ((KEYS, key),))
        case "sqs":
            name = call.json.get("QueueName") or call.json["QueueUrl"]
            return Need(f"sqs:{call.name}", f"{arn}{name.rpartition('/')[2]}")
        case "s3":
            bucket, _, key = call.path.partition("?")[0].strip("/").partition("/")
            action = "GetObject" if key else "ListBucket"
            assert call.method in {"GET", "HEAD"}
            return Need(
                f"s3:{action}", f"arn:aws:s3:::{bucket}{'/' if key else ''}{key}"
            )
    raise LookupError(service)


@pytest.fixture
def operate(
    proxy: AwsProxy, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, set[Need]]]:
    """Run a command through a proxy; give its exit code and the rights it took."""
    environ = aws_environ(proxy.url)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str) -> tuple[int, set[Need]]:
        proxy.forget()
        code = run(arguments, environ)
        return code, {need_of(each, stack) for each in proxy.calls}

    return call


@pytest.fixture
def parked(moto: str, stack: Stack) -> str:
    orders = DynamoOrderStore(
        open_held(moto, stack.outputs["StateTableName"], FakeClock())
    )
    event = OutboxEvent(id="e1", type="kycourier.ocr.parked.v1", body='{"data":{}}')
    ended = settled(draft("PARKED1"), event=event)
    orders.register(replace(ended, state=State.PARKED))
    return "PARKED1"


def test_show_resume_and_verify_take_these_rights_and_each_of_them(
    operate: Any, stack: Stack, statements: list[dict[str, Any]], parked: str
) -> None:
    named = ["--stack", stack.name]
    ended = [
        operate(*named, "show", parked),
        operate(*named, "resume", parked),
        operate(*named, "resume"),
        operate("verify", stack.outputs["EvidenceUri"]),
    ]
    assert [code for code, _ in ended] == [0, 0, 0, 1]  # there is no evidence yet

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


def test_they_do_not_reach_the_ticket_pair(
    stack: Stack, statements: list[dict[str, Any]]
) -> None:
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/"
    resource = table + stack.outputs["StateTableName"]
    for key, allowed in (("order/A/1", True), ("lease/refresh/A", False)):
        need = Need("dynamodb:GetItem", resource, ((KEYS, key),))
        assert allows(statements, need) is allowed
    assert not any(
        action.startswith(("secretsmanager:", "kms:"))
        for statement in statements
        for action in as_list(statement["Action"])
    )
