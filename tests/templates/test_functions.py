"""What each function is given: file, time, variables, triggers."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from kycourier import bootstrap
from kycourier.settings import SETTINGS, read_settings
from kycourier_devkit.toolbox import ROOT
from rendered import BY_TOOLS, Renderer

pytestmark = BY_TOOLS

Resources = Callable[..., dict[str, Any]]

NEEDS = {
    "refresh_ticket": bootstrap._REFRESHES,
    "collect_results": bootstrap._COLLECTS,
    "sweep_orders": bootstrap._COLLECTS,
    "orders_api": bootstrap._ANSWERS,
}
LOGICAL = {
    "refresh_ticket": "RefreshTicketLambdaFunction",
    "collect_results": "CollectResultsLambdaFunction",
    "sweep_orders": "SweepOrdersLambdaFunction",
    "orders_api": "OrdersApiLambdaFunction",
}
HOST = ["KYC_PROFILE", "KYC_URL"]
PLACES = ["STATE", "EVIDENCE", "EVENTS", "QUEUE", "FINGERPRINT_KEY"]
VARIABLES = {
    "refresh_ticket": ["APP_ID", "APP_SECRET", *HOST, "TICKET", "STATE"],
    "collect_results": [
        *("APP_ID", "APP_SECRET", *HOST, "TICKET"),
        *(*PLACES, "MAX_IN_FLIGHT"),
    ],
    "sweep_orders": [
        *("APP_ID", "APP_SECRET", *HOST, "TICKET"),
        *(*PLACES, "MAX_IN_FLIGHT"),
    ],
    "orders_api": [
        *("APP_ID", *HOST, "TICKET"),
        *(*PLACES, "API_AUTH", "API_KEYS", "MAX_IN_FLIGHT"),
    ],
}


def variables(resources: Mapping[str, Any], file: str) -> dict[str, str]:
    """Give a function's variables."""
    properties = resources[LOGICAL[file]]["Properties"]
    found: dict[str, str] = properties["Environment"]["Variables"]
    return found


@pytest.mark.parametrize("file", LOGICAL)
def test_function_is_a_file_of_functions_with_a_handler(
    resources: Resources, file: str
) -> None:
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
        made["Properties"]["Handler"].partition(".")[0]
        for made in resources().values()
        if made["Type"] == "AWS::Lambda::Function"
    }

    assert deployed == files == set(LOGICAL)


@pytest.mark.parametrize("file", LOGICAL)
@pytest.mark.parametrize("ticket", ["owned", "aws-ssm:///kyc/ticket"])
@pytest.mark.parametrize("access", ["iam", "url"])
def test_variables_are_those_of_the_settings_in_their_order(
    resources: Resources, file: str, ticket: str, access: str
) -> None:
    found = variables(resources(Ticket=ticket, ApiAccess=access), file)

    left_out = {"APP_SECRET": ticket != "owned", "API_KEYS": access == "iam"}
    wanted = [name for name in VARIABLES[file] if not left_out.get(name)]
    assert list(found) == [f"KYCOURIER_{name}" for name in wanted]
    order = [setting.variable for setting in SETTINGS]
    assert sorted(found, key=order.index) == list(found)


@pytest.mark.parametrize("file", LOGICAL)
@pytest.mark.parametrize("ticket", ["owned", "aws-secretsmanager://kyc/ticket"])
@pytest.mark.parametrize("access", ["iam", "url"])
def test_variables_are_right_settings_and_all_that_the_function_needs(
    resources: Resources, file: str, ticket: str, access: str
) -> None:
    found = variables(resources(Ticket=ticket, ApiAccess=access), file)

    settings = read_settings(found, needs=NEEDS[file])

    assert settings.app_id == "SANDBOX1"
    assert settings.state.scheme == "dynamodb"
    if file == "orders_api":
        assert settings.api_auth == {"iam": "gateway", "url": "signature"}[access]
        assert (settings.api_keys is not None) is (access == "url")


def test_places_are_the_stack_s_own(resources: Resources) -> None:
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
def test_every_function_keeps_its_state_in_a_restored_table_where_there_is_one(
    resources: Resources, file: str, restored: str, state: str
) -> None:
    found = variables(resources(RestoredTable=restored), file)

    assert found["KYCOURIER_STATE"] == state


@pytest.mark.parametrize("cap", ["10", "20", "50", "100", "200"])
def test_upstream_calls_stay_within_the_cap(resources: Resources, cap: str) -> None:
    made = resources(UpstreamCap=cap)
    scaling = made["CollectResultsTrigger"]["Properties"]["ScalingConfig"]
    concurrency = int(scaling["MaximumConcurrency"])
    collecting, sweeping = (
        int(variables(made, file)["KYCOURIER_MAX_IN_FLIGHT"])
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
def test_parameters_are_checked_before_anything_is_made(
    renderer: Renderer, parameter: str, accepted: list[str], refused: list[str]
) -> None:
    pattern = renderer.sam()["Parameters"][parameter]["AllowedPattern"]

    assert all(re.search(pattern, value) for value in accepted)
    assert not any(re.search(pattern, value) for value in refused)


def test_every_allowed_cap_has_its_share(renderer: Renderer) -> None:
    template = renderer.sam()

    allowed = template["Parameters"]["UpstreamCap"]["AllowedValues"]
    assert allowed == ["10", "20", "50", "100", "200"]
    assert list(template["Mappings"]["UpstreamCaps"]) == allowed


def test_sweep_ends_before_the_next_begins(resources: Resources) -> None:
    made = resources()

    assert (
        made["SweepOrdersTimer"]["Properties"]["ScheduleExpression"] == "rate(1 minute)"
    )
    assert int(made[LOGICAL["sweep_orders"]]["Properties"]["Timeout"]) < 60
    assert made["SweepOrdersOnce"]["Properties"]["MaximumRetryAttempts"] == "0"


def test_ticket_s_timer_fires_every_five_minutes_where_the_ticket_is_ours(
    resources: Resources,
) -> None:
    timer = resources()["RefreshTicketTimer"]["Properties"]

    assert timer["ScheduleExpression"] == "rate(5 minutes)"
    assert timer["Targets"][0]["Arn"] == "${RefreshTicketLambdaFunction.Arn}"
    assert "RefreshTicketTimer" not in resources(Ticket="aws-ssm:///kyc/ticket")


def test_queue_hands_over_ten_at_a_time_and_takes_single_records_back(
    resources: Resources,
) -> None:
    trigger = resources()["CollectResultsTrigger"]["Properties"]

    assert trigger["EventSourceArn"] == "${OrdersQueue.Arn}"
    assert trigger["FunctionName"] == "${CollectResultsLambdaFunction.Arn}"
    assert trigger["BatchSize"] == "10"
    assert trigger["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_visibility_is_six_times_the_function_s_time(resources: Resources) -> None:
    made = resources()
    timeout = int(made[LOGICAL["collect_results"]]["Properties"]["Timeout"])

    assert int(made["OrdersQueue"]["Properties"]["VisibilityTimeout"]) >= 6 * timeout


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_architecture_chooses_processor_and_zip(
    resources: Resources, architecture: str
) -> None:
    made = resources(Architecture=architecture)

    layers = {name: made[name]["Properties"] for name in ("ServiceLayer", "SdkLayer")}
    assert layers["ServiceLayer"]["Content"] == "service.zip"
    assert layers["SdkLayer"]["Content"] == f"sdk-aws-{architecture}.zip"
    for logical in LOGICAL.values():
        properties = made[logical]["Properties"]
        assert properties["Architectures"] == [architecture]
        assert properties["Layers"] == ["${ServiceLayer}", "${SdkLayer}"]


def test_functions_are_not_traced_and_write_their_own_json(
    resources: Resources,
) -> None:
    for logical in LOGICAL.values():
        properties = resources()[logical]["Properties"]

        assert "TracingConfig" not in properties
        assert "LoggingConfig" not in properties


def test_api_answers_under_v1_behind_iam(resources: Resources) -> None:
    made = resources(ApiAccess="iam")

    route = made["HttpApiRoute"]["Properties"]
    assert route["RouteKey"] == "ANY /v1/{proxy+}"
    assert route["AuthorizationType"] == "AWS_IAM"
    assert made["HttpApiIntegration"]["Properties"]["PayloadFormatVersion"] == "2.0"
    assert not {"FunctionUrl", "FunctionUrlIsPublic", "ApiKeys"} & made.keys()


def test_function_url_lets_everybody_in_to_be_checked_by_the_function(
    resources: Resources,
) -> None:
    made = resources(ApiAccess="url")

    assert made["FunctionUrl"]["Properties"]["AuthType"] == "NONE"
    public = made["FunctionUrlIsPublic"]["Properties"]
    assert public["Action"] == "lambda:InvokeFunctionUrl"
    assert public["FunctionUrlAuthType"] == "NONE"
    invoked = made["FunctionUrlMayCall"]["Properties"]
    assert invoked["Action"] == "lambda:InvokeFunction"
    assert invoked["InvokedViaFunctionUrl"] == "true"
    assert not {name for name in made if name.startswith("HttpApi")}
