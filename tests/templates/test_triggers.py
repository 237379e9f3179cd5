"""Timers, queue and HTTP call their functions."""

import pytest

from support.rendered_templates import NEEDS_TOOLS

pytestmark = NEEDS_TOOLS


@pytest.mark.parametrize(
    ("timer", "function", "rate"),
    [
        ("SweepOrdersTimer", "SweepOrdersLambdaFunction", "rate(1 minute)"),
        ("RefreshTicketTimer", "RefreshTicketLambdaFunction", "rate(5 minutes)"),
    ],
)
def test_timer_calls_its_function(resources, timer, function, rate):
    properties = resources()[timer]["Properties"]

    assert properties["ScheduleExpression"] == rate
    (target,) = properties["Targets"]
    assert target["Arn"] == f"${{{function}.Arn}}"


def test_sweep_times_out_before_the_next_one_begins(resources):
    stack = resources()

    assert int(stack["SweepOrdersLambdaFunction"]["Properties"]["Timeout"]) < 60
    assert stack["SweepOrdersOnce"]["Properties"]["MaximumRetryAttempts"] == "0"


def test_queue_trigger_has_batches_of_ten_and_reports_item_failures(resources):
    trigger = resources()["CollectResultsTrigger"]["Properties"]

    assert trigger["EventSourceArn"] == "${OrdersQueue.Arn}"
    assert trigger["FunctionName"] == "${CollectResultsLambdaFunction.Arn}"
    assert trigger["BatchSize"] == "10"
    assert trigger["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_visibility_timeout_is_six_times_the_function_timeout(resources):
    stack = resources()
    timeout = int(stack["CollectResultsLambdaFunction"]["Properties"]["Timeout"])

    assert int(stack["OrdersQueue"]["Properties"]["VisibilityTimeout"]) >= 6 * timeout


def test_http_api_routes_v1_behind_iam(resources):
    stack = resources(ApiAccess="iam")

    route = stack["HttpApiRoute"]["Properties"]
    assert route["RouteKey"] == "ANY /v1/{proxy+}"
    assert route["AuthorizationType"] == "AWS_IAM"
    assert stack["HttpApiIntegration"]["Properties"]["PayloadFormatVersion"] == "2.0"
    assert not {"FunctionUrl", "FunctionUrlIsPublic", "ApiKeys"} & stack.keys()


def test_function_url_is_public(resources):
    stack = resources(ApiAccess="url")

    assert stack["FunctionUrl"]["Properties"]["AuthType"] == "NONE"
    public = stack["FunctionUrlIsPublic"]["Properties"]
    assert public["Action"] == "lambda:InvokeFunctionUrl"
    assert public["FunctionUrlAuthType"] == "NONE"
    invoked = stack["FunctionUrlMayCall"]["Properties"]
    assert invoked["Action"] == "lambda:InvokeFunction"
    assert invoked["InvokedViaFunctionUrl"] == "true"
    assert not {name for name in stack if name.startswith("HttpApi")}
