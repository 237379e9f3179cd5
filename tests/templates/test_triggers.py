"""Timers, queue and HTTP call their functions."""

from support.rendered_templates import NEEDS_TOOLS, Resources

pytestmark = NEEDS_TOOLS


def test_sweep_times_out_before_the_next_one_begins(resources: Resources) -> None:
    stack = resources()

    assert (
        stack["SweepOrdersTimer"]["Properties"]["ScheduleExpression"]
        == "rate(1 minute)"
    )
    assert int(stack["SweepOrdersLambdaFunction"]["Properties"]["Timeout"]) < 60
    assert stack["SweepOrdersOnce"]["Properties"]["MaximumRetryAttempts"] == "0"


def test_ticket_timer_fires_every_five_minutes_if_the_ticket_is_owned(
    resources: Resources,
) -> None:
    timer = resources()["RefreshTicketTimer"]["Properties"]

    assert timer["ScheduleExpression"] == "rate(5 minutes)"
    assert timer["Targets"][0]["Arn"] == "${RefreshTicketLambdaFunction.Arn}"
    assert "RefreshTicketTimer" not in resources(Ticket="aws-ssm:///kyc/ticket")


def test_queue_trigger_has_batches_of_ten_and_reports_item_failures(
    resources: Resources,
) -> None:
    trigger = resources()["CollectResultsTrigger"]["Properties"]

    assert trigger["EventSourceArn"] == "${OrdersQueue.Arn}"
    assert trigger["FunctionName"] == "${CollectResultsLambdaFunction.Arn}"
    assert trigger["BatchSize"] == "10"
    assert trigger["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_visibility_timeout_is_six_times_the_function_timeout(
    resources: Resources,
) -> None:
    stack = resources()
    timeout = int(stack["CollectResultsLambdaFunction"]["Properties"]["Timeout"])

    assert int(stack["OrdersQueue"]["Properties"]["VisibilityTimeout"]) >= 6 * timeout


def test_http_api_routes_v1_behind_iam(resources: Resources) -> None:
    stack = resources(ApiAccess="iam")

    route = stack["HttpApiRoute"]["Properties"]
    assert route["RouteKey"] == "ANY /v1/{proxy+}"
    assert route["AuthorizationType"] == "AWS_IAM"
    assert stack["HttpApiIntegration"]["Properties"]["PayloadFormatVersion"] == "2.0"
    assert not {"FunctionUrl", "FunctionUrlIsPublic", "ApiKeys"} & stack.keys()


def test_function_url_is_public(
    resources: Resources,
) -> None:
    stack = resources(ApiAccess="url")

    assert stack["FunctionUrl"]["Properties"]["AuthType"] == "NONE"
    public = stack["FunctionUrlIsPublic"]["Properties"]
    assert public["Action"] == "lambda:InvokeFunctionUrl"
    assert public["FunctionUrlAuthType"] == "NONE"
    invoked = stack["FunctionUrlMayCall"]["Properties"]
    assert invoked["Action"] == "lambda:InvokeFunction"
    assert invoked["InvokedViaFunctionUrl"] == "true"
    assert not {name for name in stack if name.startswith("HttpApi")}
