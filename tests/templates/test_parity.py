"""serverless.yml and template.yaml render the same stack."""

import copy
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from support.rendered_templates import (
    APP_ID,
    NEEDS_TOOLS,
    Renderer,
    copy_project,
    differences,
)

pytestmark = NEEDS_TOOLS

ORDERS_API = "/Resources/OrdersApiLambdaFunction/Properties"
RESTORED = {"RestoredTable": "kycourier-restored"}
CAPS = ("10", "20", "50", "100", "200")
TICKETS = ("owned", "aws-secretsmanager://kyc/ticket", "aws-ssm:///kyc/ticket")
SETS = [
    {"Architecture": architecture, "ApiAccess": access, "Ticket": ticket}
    for architecture, access, ticket in product(
        ("arm64", "x86_64"), ("iam", "url"), TICKETS
    )
] + [
    *({"UpstreamCap": cap} for cap in CAPS),
    {"EvidenceRetentionDays": "30", "LogRetentionDays": "7"},
    {"AlarmTopic": "arn:aws-cn:sns:cn-north-1:123456789012:alarms"},
    {"KycProfile": "kyc1", "KycUrl": "https://kyc.example"},
    RESTORED,
]


@pytest.mark.parametrize("parameters", SETS, ids=lambda each: "-".join(each.values()))
def test_both_templates_render_the_same_stack(
    renderer: Renderer, parameters: dict[str, str]
) -> None:
    ours = renderer.resolve("sam", **parameters)
    theirs = renderer.resolve("osls", **parameters)

    assert differences(ours, theirs) == []
    assert len(ours["Resources"]) > 50
    assert {"ApiUrl", "QueueUrl", "EvidenceUri"} <= ours["Outputs"].keys()


def test_osls_passes_every_parameter_to_cloudformation(renderer: Renderer) -> None:
    parameters = {
        **APP_ID,
        "KycProfile": "kyc1",
        "KycUrl": "https://kyc.example",
        "Ticket": "aws-ssm:///kyc/ticket",
        "UpstreamCap": "50",
        "ApiAccess": "url",
        "LogRetentionDays": "7",
        "EvidenceRetentionDays": "30",
        "AlarmTopic": "arn:aws:sns:eu-west-1:123456789012:alarms",
        **RESTORED,
    }

    assert renderer.passed_parameters(**parameters) == parameters
    assert renderer.osls(**parameters)["Parameters"].keys() == parameters.keys()
    assert renderer.sam()["Parameters"].keys() == {*parameters, "Architecture"}


def test_both_templates_have_the_same_defaults(renderer: Renderer) -> None:
    ours = {
        name: str(each["Default"])
        for name, each in renderer.sam()["Parameters"].items()
        if "Default" in each
    }

    del ours["Architecture"]  # osls resolves it; compared above
    assert renderer.passed_parameters() == ours | APP_ID


Change = Callable[[dict[str, Any]], object]


def edit(logical: str, **properties: str) -> Change:
    """Return a change of some properties of a resource."""
    return lambda resources: resources[logical]["Properties"].update(properties)


def remove_last(logical: str, name: str) -> Change:
    """Return a change that removes the last item of a property."""
    return lambda resources: resources[logical]["Properties"][name].pop()


def _add_action(resources: dict[str, Any]) -> None:
    policies = resources["SweepOrdersRole"]["Properties"]["Policies"]
    policies.append(["s3:DeleteObject", "*", ""])


def _change_variable(resources: dict[str, Any]) -> None:
    properties = resources["SweepOrdersLambdaFunction"]["Properties"]
    properties["Environment"]["Variables"]["KYCOURIER_MAX_IN_FLIGHT"] = "11"


def _remove_response_type(resources: dict[str, Any]) -> None:
    del resources["CollectResultsTrigger"]["Properties"]["FunctionResponseTypes"]


CHANGES: dict[str, Change] = {
    "an added permission": _add_action,
    "a removed permission": remove_last("OrdersApiRole", "Policies"),
    "a variable's value": _change_variable,
    "memory": edit("OrdersApiLambdaFunction", MemorySize="128"),
    "a layer": remove_last("OrdersApiLambdaFunction", "Layers"),
    "a layer's zip": edit("SdkLayer", Content="sdk-aws-x86_64.zip"),
    "an alarm's threshold": edit("QueueAgeAlarm", Threshold="9"),
    "a resource": lambda resources: resources.pop("EvidenceBucketPolicy"),
    "a trigger": _remove_response_type,
    "a deletion policy": lambda resources: resources["StateTable"].pop(
        "DeletionPolicy"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_comparison_finds_one_change(renderer: Renderer, change: Change) -> None:
    ours = renderer.resolve("sam")
    theirs = copy.deepcopy(renderer.resolve("osls"))
    change(theirs["Resources"])

    assert len(differences(ours, theirs)) == 1


@pytest.mark.parametrize(
    ("tool", "file", "old", "new", "path"),
    [
        (
            "osls",
            "serverless.yml",
            "timeout: 29",
            "timeout: 28",
            f"{ORDERS_API}/Timeout",
        ),
        (
            "osls",
            "serverless.yml",
            "    Dashboard: ${self:custom.shared.Dashboard}\n",
            "",
            "/Resources/Dashboard",
        ),
        (
            "sam",
            "template.yaml",
            "KYCOURIER_API_AUTH: !If [HasUrl, signature, gateway]",
            "KYCOURIER_API_AUTH: signature",
            f"{ORDERS_API}/Environment/Variables/KYCOURIER_API_AUTH",
        ),
    ],
)
def test_comparison_finds_a_change_in_one_file(
    renderer: Renderer,
    tmp_path: Path,
    tool: str,
    file: str,
    old: str,
    new: str,
    path: str,
) -> None:
    folder = copy_project(tmp_path)
    text = (folder / file).read_text()
    assert text.count(old) == 1
    (folder / file).write_text(text.replace(old, new))
    changed = Renderer(folder, renderer.environ)

    other = {"osls": "sam", "sam": "osls"}[tool]
    found = differences(changed.resolve(tool), renderer.resolve(other))

    assert found == [path]


def test_comparison_finds_a_function_that_ignores_the_restored_table(
    renderer: Renderer, tmp_path: Path
) -> None:
    folder = copy_project(tmp_path)
    before, state, after = (folder / "serverless.yml").read_text().rpartition("*state")
    assert state
    changed_text = f"{before}!Sub dynamodb://${{StateTable}}{after}"
    (folder / "serverless.yml").write_text(changed_text)
    changed = Renderer(folder, renderer.environ)

    assert differences(changed.resolve("osls"), renderer.resolve("sam")) == []
    found = differences(
        changed.resolve("osls", **RESTORED), renderer.resolve("sam", **RESTORED)
    )
    assert found == [f"{ORDERS_API}/Environment/Variables/KYCOURIER_STATE"]
