"""Each function has its file, variables, layers and limits."""

import re

import pytest

from kycourier import bootstrap
from kycourier.settings.reader import read_settings
from kycourier_devkit.repository import ROOT
from support.rendered_templates import NEEDS_TOOLS, of_type

pytestmark = NEEDS_TOOLS

LOGICAL = {
    "refresh_ticket": "RefreshTicketLambdaFunction",
    "collect_results": "CollectResultsLambdaFunction",
    "sweep_orders": "SweepOrdersLambdaFunction",
    "orders_api": "OrdersApiLambdaFunction",
}
REQUIRED = {
    "refresh_ticket": bootstrap._REFRESH_NEEDS,
    "collect_results": bootstrap._COLLECT_NEEDS,
    "sweep_orders": bootstrap._COLLECT_NEEDS,
    "orders_api": bootstrap._API_NEEDS,
}
CAPS = ("10", "20", "50", "100", "200")
HOST = ["KYC_PROFILE", "KYC_URL"]
URLS = ["STATE", "EVIDENCE", "EVENTS", "QUEUE", "FINGERPRINT_KEY"]
DOCUMENTS = ["ID_CARD_SIDES", "FACE_FILES"]
WEBHOOK = {"WebhookUrl": "https://partner.example/hook?token=t"}
COLLECT = ["APP_ID", "APP_SECRET", *HOST, "TICKET", *URLS, *DOCUMENTS, "MAX_IN_FLIGHT"]
VARIABLES = {
    "refresh_ticket": ["APP_ID", "APP_SECRET", *HOST, "TICKET", "STATE"],
    "collect_results": COLLECT,
    "sweep_orders": COLLECT,
    "orders_api": [
        *("APP_ID", *HOST, "TICKET"),
        *(*URLS, *DOCUMENTS, "API_AUTH", "API_KEYS", "MAX_IN_FLIGHT"),
    ],
}


def variables(resources, file) -> dict[str, str]:
    return resources[LOGICAL[file]]["Properties"]["Environment"]["Variables"]


def test_every_function_file_is_deployed(resources):
    functions = of_type("AWS::Lambda::Function", resources())
    files = {path.stem for path in (ROOT / "functions").glob("*.py")}

    assert files == set(LOGICAL)
    assert {logical: each["Handler"] for logical, each in functions.items()} == {
        logical: f"{file}.handler" for file, logical in LOGICAL.items()
    }
    for properties in functions.values():
        assert properties["Code"] == "functions.zip"
        assert properties["Runtime"] == "python3.13"
        assert not {"TracingConfig", "LoggingConfig"} & properties.keys()


@pytest.mark.parametrize("file", LOGICAL)
@pytest.mark.parametrize("ticket", ["owned", "aws-ssm:///kyc/ticket"])
@pytest.mark.parametrize("access", ["iam", "url"])
def test_variables_are_the_settings_that_the_function_needs(
    resources, file, ticket, access
):
    found = variables(resources(Ticket=ticket, ApiAccess=access), file)

    excluded = {"APP_SECRET": ticket != "owned", "API_KEYS": access == "iam"}
    expected = [name for name in VARIABLES[file] if not excluded.get(name)]
    assert list(found) == [f"KYCOURIER_{name}" for name in expected]
    settings = read_settings(found, needs=REQUIRED[file])
    assert settings.app_id == "SANDBOX1"
    if file == "orders_api":
        assert settings.api_auth == {"iam": "gateway", "url": "signature"}[access]


@pytest.mark.parametrize("file", ["collect_results", "sweep_orders", "orders_api"])
def test_webhook_replaces_the_bus_and_has_a_secret(resources, file):
    found = variables(resources(**WEBHOOK), file)

    assert found["KYCOURIER_EVENTS"] == WEBHOOK["WebhookUrl"]
    secret = found["KYCOURIER_WEBHOOK_SECRET"]
    assert secret == "aws-secretsmanager://${WebhookSecret}"
    settings = read_settings(found, needs=REQUIRED[file])
    assert settings.events.is_webhook
    assert "KYCOURIER_WEBHOOK_SECRET" not in variables(resources(), file)


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
@pytest.mark.parametrize("tool", ["sam", "osls"])
def test_only_functions_that_seal_have_the_key_and_its_layer(
    renderer, tool, architecture
):
    key = {"RecipientKey": "aws-ssm:///kyc/jwk"}
    for given in ({}, key):
        stack = renderer.resolve(tool, Architecture=architecture, **given)["Resources"]
        sealing = {
            file
            for file in VARIABLES
            if variables(stack, file).get("KYCOURIER_RECIPIENT_KEY")
            == "aws-ssm:///kyc/jwk"
        }
        with_layer = {
            each["FunctionName"].removeprefix("kycourier-prod-").replace("-", "_")
            for each in of_type("AWS::Lambda::Function", stack).values()
            if "${SealingLayer}" in each["Layers"]
        }
        collecting = {"collect_results", "sweep_orders", "orders_api"}
        assert sealing == with_layer == (collecting if given else set())
    layer = stack["SealingLayer"]["Properties"]
    assert layer["Content"] == f"sdk-sealing-{architecture}.zip"


def test_every_allowed_cap_is_tested(renderer):
    allowed = renderer.sam()["Parameters"]["UpstreamCap"]["AllowedValues"]

    assert allowed == list(CAPS)


@pytest.mark.parametrize("cap", CAPS)
def test_upstream_calls_stay_within_the_cap(resources, cap):
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
            "EvidenceKey",
            ["", "arn:aws-cn:kms:cn-north-1:123456789012:key/ours"],
            ["alias/ours", "123"],
        ),
        (
            "WebhookUrl",
            ["", "https://partner.example/hook?token=t"],
            ["http://partner.example/hook", "eventbridge://bus"],
        ),
        (
            "RecipientKey",
            ["", "aws-ssm:///kyc/jwk", "aws-secretsmanager://kyc/keys?key=jwk"],
            ["{}", "env:KEY", "aws-ssm://kyc", "aws-ssm:///kyc/jwk?x=1"],
        ),
        (
            "RestoredTable",
            ["", "kycourier-prod-StateTable-1A-2026.11.24_0300"],
            ["ab", "x" * 256, "arn:aws:dynamodb:eu-west-1:1:table/t", "t*"],
        ),
    ],
)
def test_parameter_patterns_accept_and_refuse(renderer, parameter, accepted, refused):
    pattern = renderer.sam()["Parameters"][parameter]["AllowedPattern"]

    assert all(re.search(pattern, value) for value in accepted)
    assert not any(re.search(pattern, value) for value in refused)


@pytest.mark.parametrize("tool", ["sam", "osls"])
def test_functions_are_in_the_given_vpc_or_in_none(renderer, tool):
    vpc = {"SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1"}
    for parameters in ({}, vpc):
        stack = renderer.resolve(tool, **parameters)["Resources"]
        for properties in of_type("AWS::Lambda::Function", stack).values():
            assert properties.get("VpcConfig") == (parameters or None)


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_architecture_selects_processor_and_zip(resources, architecture):
    stack = resources(Architecture=architecture)

    assert stack["ServiceLayer"]["Properties"]["Content"] == "service.zip"
    assert stack["SdkLayer"]["Properties"]["Content"] == f"sdk-aws-{architecture}.zip"
    for properties in of_type("AWS::Lambda::Function", stack).values():
        assert properties["Architectures"] == [architecture]
        assert properties["Layers"] == ["${ServiceLayer}", "${SdkLayer}"]
