"""Each function has its file, variables, layers and limits."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from kycourier import bootstrap
from kycourier.settings.declarations import SETTINGS
from kycourier.settings.reader import read_settings
from kycourier_devkit.repository import ROOT
from support.rendered_templates import NEEDS_TOOLS, Renderer, Resources

pytestmark = NEEDS_TOOLS

REQUIRED = {
    "refresh_ticket": bootstrap._REFRESH_NEEDS,
    "collect_results": bootstrap._COLLECT_NEEDS,
    "sweep_orders": bootstrap._COLLECT_NEEDS,
    "orders_api": bootstrap._API_NEEDS,
}
LOGICAL = {
    "refresh_ticket": "RefreshTicketLambdaFunction",
    "collect_results": "CollectResultsLambdaFunction",
    "sweep_orders": "SweepOrdersLambdaFunction",
    "orders_api": "OrdersApiLambdaFunction",
}
HOST = ["KYC_PROFILE", "KYC_URL"]
URLS = ["STATE", "EVIDENCE", "EVENTS", "QUEUE", "FINGERPRINT_KEY"]
VARIABLES = {
    "refresh_ticket": ["APP_ID", "APP_SECRET", *HOST, "TICKET", "STATE"],
    "collect_results": [
        *("APP_ID", "APP_SECRET", *HOST, "TICKET"),
        *(*URLS, "MAX_IN_FLIGHT"),
    ],
    "sweep_orders": [
        *("APP_ID", "APP_SECRET", *HOST, "TICKET"),
        *(*URLS, "MAX_IN_FLIGHT"),
    ],
    "orders_api": [
        *("APP_ID", *HOST, "TICKET"),
        *(*URLS, "API_AUTH", "API_KEYS", "MAX_IN_FLIGHT"),
    ],
}


def variables(resources: Mapping[str, Any], file: str) -> dict[str, str]:
    """Return a function's variables."""
    properties = resources[LOGICAL[file]]["Properties"]
    found: dict[str, str] = properties["Environment"]["Variables"]
    return found


@pytest.mark.parametrize("file", LOGICAL)
def test_function_has_a_file_with_a_handler(resources: Resources, file: str) -> None:
    properties = resources()[LOGICAL[file]]["Properties"]

    assert properties["Handler"] == f"{file}.handler"
    assert properties["Code"] == "functions.zip"
    assert properties["Runtime"] == "python3.13"
    assert "def handler(event: object, context: object)" in (
        ROOT / f"functions/{file}.py"
    ).read_text(encoding="utf-8")


def test_every_function_file_is_deployed(resources: Resources) -> None:
    files = {path.stem for path in (ROOT / "functions").glob("*.py")}
    deployed = {
        resource["Properties"]["Handler"].partition(".")[0]
        for resource in resources().values()
        if resource["Type"] == "AWS::Lambda::Function"
    }

    assert deployed == files == set(LOGICAL)


@pytest.mark.parametrize("file", LOGICAL)
@pytest.mark.parametrize("ticket", ["owned", "aws-ssm:///kyc/ticket"])
@pytest.mark.parametrize("access", ["iam", "url"])
def test_variables_are_in_the_order_of_the_settings(
    resources: Resources, file: str, ticket: str, access: str
) -> None:
    found = variables(resources(Ticket=ticket, ApiAccess=access), file)

    excluded = {"APP_SECRET": ticket != "owned", "API_KEYS": access == "iam"}
    wanted = [name for name in VARIABLES[file] if not excluded.get(name)]
    assert list(found) == [f"KYCOURIER_{name}" for name in wanted]
    order = [setting.variable for setting in SETTINGS]
    assert sorted(found, key=order.index) == list(found)


@pytest.mark.parametrize("file", LOGICAL)
@pytest.mark.parametrize("ticket", ["owned", "aws-secretsmanager://kyc/ticket"])
@pytest.mark.parametrize("access", ["iam", "url"])
def test_variables_are_valid_and_complete_settings(
    resources: Resources, file: str, ticket: str, access: str
) -> None:
    found = variables(resources(Ticket=ticket, ApiAccess=access), file)

    settings = read_settings(found, needs=REQUIRED[file])

    assert settings.app_id == "SANDBOX1"
    assert settings.state.scheme == "dynamodb"
    if file == "orders_api":
        assert settings.api_auth == {"iam": "gateway", "url": "signature"}[access]
        assert (settings.api_keys is not None) is (access == "url")


def test_urls_name_resources_of_the_stack(resources: Resources) -> None:
    found = variables(resources(ApiAccess="url"), "orders_api")

    assert found["KYCOURIER_STATE"] == "dynamodb://${StateTable}"
    assert found["KYCOURIER_EVIDENCE"] == "s3://${EvidenceBucket}/evidence"
    assert found["KYCOURIER_EVENTS"] == "eventbridge://${EventBus.Name}"
    assert found["KYCOURIER_QUEUE"] == "sqs://${OrdersQueue.QueueName}"
    assert found["KYCOURIER_API_KEYS"] == "aws-secretsmanager://${ApiKeys}"


@pytest.mark.parametrize("file", LOGICAL)
@pytest.mark.parametrize(
    ("restored", "state"),
    [
        ("", "dynamodb://${StateTable}"),
        ("kycourier-restored", "dynamodb://kycourier-restored"),
    ],
)
def test_every_function_uses_the_restored_table_as_state(
    resources: Resources, file: str, restored: str, state: str
) -> None:
    found = variables(resources(RestoredTable=restored), file)

    assert found["KYCOURIER_STATE"] == state


@pytest.mark.parametrize("cap", ["10", "20", "50", "100", "200"])
def test_upstream_calls_stay_within_the_cap(resources: Resources, cap: str) -> None:
    stack = resources(UpstreamCap=cap)
    scaling = stack["CollectResultsTrigger"]["Properties"]["ScalingConfig"]
    concurrency = int(scaling["MaximumConcurrency"])
    collecting, sweeping = (
        int(variables(stack, file)["KYCOURIER_MAX_IN_FLIGHT"])
        for file in ("collect_results", "sweep_orders")
    )

    one_refresh = 1
    most = concurrency * collecting + sweeping + one_refresh
    assert 2 <= concurrency <= 1000
    assert 0.9 * int(cap) <= most <= int(cap)


@pytest.mark.parametrize(
    ("parameter", "accepted", "refused"),
    [
        ("AppId", ["SANDBOX1"], ["", "a b", "x" * 33]),
        ("KycUrl", ["", "https://kyc.example"], ["http://kyc.example", "kyc"]),
        (
            "Ticket",
            ["owned", "aws-secretsmanager://kyc/ticket", "aws-ssm:///kyc/ticket"],
            ["owned2", "rediss://:password@host#key", "aws-ssm://kyc", "env:TICKET"],
        ),
        (
            "RestoredTable",
            ["", "kycourier-prod-StateTable-1A-2026.11.24_0300"],
            ["ab", "x" * 256, "arn:aws:dynamodb:eu-west-1:1:table/t", "t*"],
        ),
    ],
)
def test_parameter_patterns_accept_and_refuse(
    renderer: Renderer, parameter: str, accepted: list[str], refused: list[str]
) -> None:
    pattern = renderer.sam()["Parameters"][parameter]["AllowedPattern"]

    assert all(re.search(pattern, value) for value in accepted)
    assert not any(re.search(pattern, value) for value in refused)


def test_every_allowed_cap_is_mapped(renderer: Renderer) -> None:
    template = renderer.sam()

    allowed = template["Parameters"]["UpstreamCap"]["AllowedValues"]
    assert allowed == ["10", "20", "50", "100", "200"]
    assert list(template["Mappings"]["UpstreamCaps"]) == allowed


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_architecture_selects_processor_and_zip(
    resources: Resources, architecture: str
) -> None:
    stack = resources(Architecture=architecture)

    layers = {name: stack[name]["Properties"] for name in ("ServiceLayer", "SdkLayer")}
    assert layers["ServiceLayer"]["Content"] == "service.zip"
    assert layers["SdkLayer"]["Content"] == f"sdk-aws-{architecture}.zip"
    for logical in LOGICAL.values():
        properties = stack[logical]["Properties"]
        assert properties["Architectures"] == [architecture]
        assert properties["Layers"] == ["${ServiceLayer}", "${SdkLayer}"]


def test_functions_have_no_tracing_and_no_logging_config(
    resources: Resources,
) -> None:
    for logical in LOGICAL.values():
        properties = resources()[logical]["Properties"]

        assert "TracingConfig" not in properties
        assert "LoggingConfig" not in properties
