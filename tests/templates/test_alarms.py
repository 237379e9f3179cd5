"""Alarms and dashboard use emitted metrics and link the runbook."""

import json
import re
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

import pytest

from kycourier import logs
from kycourier.core.orders.outcomes import EFFECTS
from kycourier_devkit.repository import ROOT
from support.rendered_templates import APP_ID, NEEDS_TOOLS, Resources

pytestmark = NEEDS_TOOLS

COUNTS = {
    name
    for fact in logs.LOG_EVENTS.values()
    for name, field in fact.metrics.items()
    if field is None
} | {effect.metric for effect in EFFECTS.values()}
GAUGES = {
    name
    for fact in logs.LOG_EVENTS.values()
    for name, field in fact.metrics.items()
    if field is not None
}
OURS = {"service": "kycourier", "app_id": "SANDBOX1"}
AWS_METRICS = {
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): "QueueName",
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): "QueueName",
    ("AWS/Lambda", "Errors"): "FunctionName",
    ("AWS/Lambda", "Throttles"): "FunctionName",
}
WATCHED = {
    *("TicketAgeSeconds", "OldestDueSeconds", "OldestUnsentSeconds", "Sweeps"),
    *("TicketRefreshesFailed", "OrdersParked", "AppsStopped", "BreakerOpenings"),
    *("ResultConflicts", "EvidenceConflicts", "EvidenceFailures", "RowsUnreadable"),
    "HandlerFailures",
    *("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"),
    *("Throttles", "Errors"),
}
TIMER_METRICS = {
    "TicketAgeSeconds",
    "OldestDueSeconds",
    "OldestUnsentSeconds",
    "Sweeps",
}


def alarms(resources: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the alarms' properties by logical id."""
    return {
        logical: resource["Properties"]
        for logical, resource in resources.items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def dimensions(alarm: Mapping[str, Any]) -> dict[str, str]:
    """Return an alarm's dimensions."""
    return {each["Name"]: each["Value"] for each in alarm["Dimensions"]}


def test_every_watched_metric_has_an_alarm(resources: Resources) -> None:
    watched = {alarm["MetricName"] for alarm in alarms(resources()).values()}

    assert watched == WATCHED


def test_own_metrics_are_emitted_with_the_dimensions_of_the_alarms(
    resources: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    event_log = logs.PowertoolsEventLog(StringIO(), app_id=APP_ID["AppId"])
    event_log.emit("sweep_finished", orders_due=1, oldest_due_seconds=2.0)
    event_log.flush()
    emitted = json.loads(capsys.readouterr().out)
    (form,) = emitted["_aws"]["CloudWatchMetrics"]
    (names,) = form["Dimensions"]
    own_dimensions = {name: emitted[name] for name in names}

    ours = [
        alarm
        for alarm in alarms(resources()).values()
        if alarm["Namespace"] == form["Namespace"]
    ]
    assert len(ours) == 13
    for alarm in ours:
        assert dimensions(alarm) == own_dimensions == OURS
        assert alarm["MetricName"] in COUNTS | GAUGES


def test_gauges_alarm_on_the_maximum_and_counts_on_the_sum(
    resources: Resources,
) -> None:
    for alarm in alarms(resources()).values():
        if alarm["Namespace"] == "kycourier":
            is_gauge = alarm["MetricName"] in GAUGES
            assert alarm["Statistic"] == ("Maximum" if is_gauge else "Sum")


def test_aws_metrics_have_dimensions_of_resources_in_the_stack(
    resources: Resources,
) -> None:
    stack = resources()
    for alarm in alarms(stack).values():
        if alarm["Namespace"] != "kycourier":
            key = (alarm["Namespace"], alarm["MetricName"])
            ((name, value),) = dimensions(alarm).items()
            assert name == AWS_METRICS[key]
            assert value.strip("${}").partition(".")[0] in stack


def test_every_function_has_alarms_for_errors_and_throttles(
    resources: Resources,
) -> None:
    stack = resources()
    functions = {
        f"${{{logical}}}"
        for logical, each in stack.items()
        if each["Type"] == "AWS::Lambda::Function"
    }
    for metric in ("Errors", "Throttles"):
        watched = {
            dimensions(alarm)["FunctionName"]
            for alarm in alarms(stack).values()
            if alarm["MetricName"] == metric
        }
        assert watched == functions


def test_dead_letter_alarm_watches_the_dead_letter_queue(resources: Resources) -> None:
    alarm = alarms(resources())["DeadLettersAlarm"]

    assert dimensions(alarm) == {"QueueName": "${DeadLetterQueue.QueueName}"}


def test_missing_data_alarms_only_for_timer_metrics(resources: Resources) -> None:
    for alarm in alarms(resources()).values():
        is_timer_metric = alarm["MetricName"] in TIMER_METRICS
        wanted = "breaching" if is_timer_metric else "notBreaching"
        assert alarm["TreatMissingData"] == wanted


def test_thresholds_equal_those_of_the_runbook(resources: Resources) -> None:
    found = alarms(resources())

    for logical, seconds in {
        "TicketAgeAlarm": "1500",
        "OldestDueAlarm": "600",
        "OldestUnsentAlarm": "300",
        "QueueAgeAlarm": "1800",
    }.items():
        assert found[logical]["Threshold"] == seconds
        assert found[logical]["ComparisonOperator"] == "GreaterThanThreshold"
    assert found["SweepsAlarm"]["ComparisonOperator"] == "LessThanThreshold"


def test_each_alarm_links_a_runbook_section_that_names_its_metric(
    resources: Resources,
) -> None:
    sections = dict(read_sections())
    for alarm in alarms(resources()).values():
        named = re.match(
            r"docs/operations\.md#([a-z-]+): \S", alarm["AlarmDescription"]
        )
        assert named is not None
        assert alarm["MetricName"] in sections[named[1]]


def test_foreign_ticket_has_no_ticket_alarms(
    resources: Resources,
) -> None:
    owned = alarms(resources())
    foreign = alarms(resources(Ticket="aws-ssm:///kyc/ticket"))

    assert owned.keys() - foreign.keys() == {
        "TicketAgeAlarm",
        "TicketRefreshesFailedAlarm",
    }


@pytest.mark.parametrize(
    ("topic", "target"),
    [
        ("", "${AlertTopic}"),
        ("arn:aws:sns:eu-west-1:123456789012:ours",) * 2,
    ],
)
def test_alarms_go_to_the_given_topic_or_to_a_new_one(
    resources: Resources, topic: str, target: str
) -> None:
    stack = resources(AlarmTopic=topic)

    assert ("AlertTopic" in stack) is ("AlertKey" in stack) is (topic == "")
    for alarm in alarms(stack).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [target]


def test_new_topic_is_encrypted_with_a_key_that_cloudwatch_may_use(
    resources: Resources,
) -> None:
    stack = resources()

    assert stack["AlertTopic"]["Properties"]["KmsMasterKeyId"] == "${AlertKey}"
    statements = stack["AlertKey"]["Properties"]["KeyPolicy"]["Statement"]
    assert {"Service": "cloudwatch.amazonaws.com"} in [
        statement["Principal"] for statement in statements
    ]


def test_dashboard_shows_emitted_metrics(resources: Resources) -> None:
    body = json.loads(resources()["Dashboard"]["Properties"]["DashboardBody"])

    shown = [
        each
        for widget in body["widgets"]
        for each in expand(widget["properties"]["metrics"])
    ]
    assert len(shown) > 30
    for namespace, metric, *pairs in shown:
        shown_dimensions = dict(zip(pairs[::2], pairs[1::2], strict=True))
        if namespace == "kycourier":
            assert metric in COUNTS | GAUGES
            assert shown_dimensions == OURS
        else:
            assert list(shown_dimensions) == [AWS_METRICS[namespace, metric]]
    watched = {alarm["MetricName"] for alarm in alarms(resources()).values()}
    assert watched - {metric for _, metric, *_ in shown} == {"Sweeps", "AppsStopped"}


def expand(metrics: list[list[str]]) -> Iterator[list[str]]:
    """Expand a dashboard's short forms: `.` repeats one part, `...` all before it."""
    last: list[str] = []
    for short in metrics:
        row = list(short)
        if row[0] == "...":
            row = [*last[: len(last) - len(row) + 1], *row[1:]]
        last = [last[at] if part == "." else part for at, part in enumerate(row)]
        yield last


def read_sections() -> Iterator[tuple[str, str]]:
    """Yield the anchor and text of each section of the runbook."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:]:
        heading = section.partition("\n")[0]
        yield re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-"), section
