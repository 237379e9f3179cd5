"""serverless.yml and template.yaml come to the same stack."""

import copy
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from rendered import APP_ID, BY_TOOLS, Renderer, copy_project, differences

pytestmark = BY_TOOLS

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
def test_both_templates_come_to_the_same_stack(
    renderer: Renderer, parameters: dict[str, str]
) -> None:
    ours = renderer.settled("sam", **parameters)
    theirs = renderer.settled("osls", **parameters)

    assert differences(ours, theirs) == []
    assert len(ours["Resources"]) > 50
    assert {"ApiUrl", "QueueUrl", "EvidenceUri"} <= ours["Outputs"].keys()


def test_osls_hands_every_parameter_on(renderer: Renderer) -> None:
    given = {
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

    assert renderer.handed_on(**given) == given
    assert renderer.osls(**given)["Parameters"].keys() == given.keys()
    assert renderer.sam()["Parameters"].keys() == {*given, "Architecture"}


def test_defaults_are_the_same_in_both(renderer: Renderer) -> None:
    ours = {
        name: str(each["Default"])
        for name, each in renderer.sam()["Parameters"].items()
        if "Default" in each
    }

    del ours["Architecture"]  # osls settles it: the parity above shows its default
    assert renderer.handed_on() == ours | APP_ID


Change = Callable[[dict[str, Any]], None]


def _add_action(resources: dict[str, Any]) -> None:
    policies = resources["SweepOrdersRole"]["Properties"]["Policies"]
    policies.append(["s3:DeleteObject", "*", ""])


CHANGES: dict[str, Change] = {
    "a permission more": _add_action,
    "a permission less": lambda all_: all_["OrdersApiRole"]["Properties"][
        "Policies"
    ].pop(),
    "a variable's value": lambda all_: all_["SweepOrdersLambdaFunction"]["Properties"][
        "Environment"
    ]["Variables"].update(KYCOURIER_MAX_IN_FLIGHT="11"),
    "memory": lambda all_: all_["OrdersApiLambdaFunction"]["Properties"].update(
        MemorySize="128"
    ),
    "a layer": lambda all_: all_["OrdersApiLambdaFunction"]["Properties"][
        "Layers"
    ].pop(),
    "a layer's zip": lambda all_: all_["SdkLayer"]["Properties"].update(
        Content="sdk-aws-x86_64.zip"
    ),
    "an alarm's threshold": lambda all_: all_["QueueAgeAlarm"]["Properties"].update(
        Threshold="9"
    ),
    "a resource": lambda all_: all_.pop("EvidenceBucketPolicy"),
    "a trigger": lambda all_: all_["CollectResultsTrigger"]["Properties"].pop(
        "FunctionResponseTypes"
    ),
    "what becomes of the table": lambda all_: all_["StateTable"].pop("DeletionPolicy"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_comparison_finds_one_change(renderer: Renderer, change: Change) -> None:
    ours = renderer.settled("sam")
    theirs = copy.deepcopy(renderer.settled("osls"))
    change(theirs["Resources"])

    assert len(differences(ours, theirs)) == 1


@pytest.mark.parametrize(
    ("tool", "file", "was", "now", "where"),
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
def test_comparison_finds_a_change_of_one_file(
    renderer: Renderer,
    tmp_path: Path,
    tool: str,
    file: str,
    was: str,
    now: str,
    where: str,
) -> None:
    folder = copy_project(tmp_path)
    text = (folder / file).read_text()
    assert text.count(was) == 1
    (folder / file).write_text(text.replace(was, now))
    changed = Renderer(folder, renderer.environ)

    other = {"osls": "sam", "sam": "osls"}[tool]
    found = differences(changed.settled(tool), renderer.settled(other))

    assert found == [where]


def test_comparison_finds_a_function_that_is_left_with_the_table_of_before(
    renderer: Renderer, tmp_path: Path
) -> None:
    folder = copy_project(tmp_path)
    before, state, after = (folder / "serverless.yml").read_text().rpartition("*state")
    assert state
    left = f"{before}!Sub dynamodb://${{StateTable}}{after}"
    (folder / "serverless.yml").write_text(left)
    changed = Renderer(folder, renderer.environ)

    assert differences(changed.settled("osls"), renderer.settled("sam")) == []
    found = differences(
        changed.settled("osls", **RESTORED), renderer.settled("sam", **RESTORED)
    )
    assert found == [f"{ORDERS_API}/Environment/Variables/KYCOURIER_STATE"]
