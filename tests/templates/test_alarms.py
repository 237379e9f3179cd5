"""Alarms and dashboard use emitted metrics and link the runbook."""

import json
import re
from collections.abc import Iterator
from io import StringIO

import pytest

from kycourier import logs
from kycourier.core.causes import CAUSE_METRICS
from kycourier.core.orders.outcomes import EFFECTS
from kycourier_devkit.repository import ROOT
from support.rendered_templates import APP_ID, NEEDS_TOOLS, of_type

pytestmark = NEEDS_TOOLS

METRICS = [each for fact in logs.LOG_EVENTS.values() for each in fact.metrics.items()]
GAUGES = {name for name, field in METRICS if field is not None}
COUNTS = {name for name, field in METRICS if field is None}
COUNTS |= {effect.metric for effect in EFFECTS.values()} | CAUSE_METRICS
OURS = {"service": "kycourier", "app_id": "SANDBOX1"}
TIMER_METRICS = {
    *("TicketAgeSeconds", "OldestDueSeconds", "OldestUnsentSeconds", "Sweeps")
}
OWN_METRICS = TIMER_METRICS | {
    *("TicketRefreshesFailed", "OrdersParked", "AppsStopped", "BreakerOpenings"),
    *("ResultConflicts", "EvidenceConflicts", "EvidenceFailures", "RowsUnreadable"),
    *("HandlerFailures", "OrderFailingSeconds", "RepliesUnreadable"),
    *("ClientErrorReplies", "TicketsUnreadable", "RefreshesRefused"),
    *("TicketRenewalsForced", "UnprocessableMessages", "EventsUndeliverable"),
}
AWS_METRICS = {
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): "QueueName",
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): "QueueName",
    ("AWS/Lambda", "Errors"): "FunctionName",
    ("AWS/Lambda", "Throttles"): "FunctionName",
}


def alarms_of(resources):
    return of_type("AWS::CloudWatch::Alarm", resources)


def dimensions(alarm):
    return {each["Name"]: each["Value"] for each in alarm["Dimensions"]}


@pytest.fixture
def alarms(resources):
    """Return the alarms' properties by logical id."""
    return alarms_of(resources())


def test_own_metrics_are_emitted_with_the_dimensions_of_the_alarms(alarms, capsys):
    own_alarms = [each for each in alarms.values() if each["Namespace"] == "kycourier"]
    event_log = logs.PowertoolsEventLog(StringIO(), app_id=APP_ID["AppId"])
    event_log.emit("sweep_finished", orders_due=1, oldest_due_seconds=2.0)
    event_log.flush()
    emitted = json.loads(capsys.readouterr().out)
    (form,) = emitted["_aws"]["CloudWatchMetrics"]
    (names,) = form["Dimensions"]

    assert form["Namespace"] == "kycourier"
    assert {name: emitted[name] for name in names} == OURS
    assert all(dimensions(alarm) == OURS for alarm in own_alarms)
    assert {alarm["MetricName"] for alarm in own_alarms} == OWN_METRICS
    assert len(own_alarms) == len(OWN_METRICS)
    for alarm in own_alarms:
        maximum = alarm["MetricName"] in GAUGES
        assert maximum or alarm["MetricName"] in COUNTS
        assert alarm["Statistic"] == ("Maximum" if maximum else "Sum")


def test_both_queues_and_every_function_have_alarms(resources):
    stack = resources()
    found = [
        (alarm["Namespace"], alarm["MetricName"], *dimensions(alarm).items())
        for alarm in alarms_of(stack).values()
        if alarm["Namespace"] != "kycourier"
    ]

    functions = [
        f"${{{logical}}}" for logical in of_type("AWS::Lambda::Function", stack)
    ]
    resources_of = {
        "ApproximateAgeOfOldestMessage": ["${OrdersQueue.QueueName}"],
        "ApproximateNumberOfMessagesVisible": ["${DeadLetterQueue.QueueName}"],
        "Errors": functions,
        "Throttles": functions,
    }
    assert sorted(found) == sorted(
        (namespace, metric, (dimension, resource))
        for (namespace, metric), dimension in AWS_METRICS.items()
        for resource in resources_of[metric]
    )


def test_missing_data_alarms_only_for_timer_metrics(alarms):
    for alarm in alarms.values():
        is_timer_metric = alarm["MetricName"] in TIMER_METRICS
        expected = "breaching" if is_timer_metric else "notBreaching"
        assert alarm["TreatMissingData"] == expected


def test_ages_alarm_above_the_seconds_of_the_runbook(alarms):
    assert {
        logical: alarm["Threshold"]
        for logical, alarm in alarms.items()
        if alarm["ComparisonOperator"] == "GreaterThanThreshold"
    } == {
        "TicketAgeAlarm": "1500",
        "OldestDueAlarm": "600",
        "OrderFailingAlarm": "180",
        "OldestUnsentAlarm": "300",
        "QueueAgeAlarm": "1800",
    }
    assert alarms["SweepsAlarm"]["ComparisonOperator"] == "LessThanThreshold"


def test_each_alarm_links_a_runbook_section_that_names_its_metric(alarms):
    sections = dict(read_sections())
    for alarm in alarms.values():
        [anchor] = re.findall(
            r"^docs/operations\.md#([a-z-]+): \S", alarm["AlarmDescription"]
        )
        assert alarm["MetricName"] in sections[anchor]


def read_sections() -> Iterator[tuple[str, str]]:
    """Yield the anchor and text of each section of the runbook."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:]:
        heading = section.partition("\n")[0]
        yield re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-"), section


def test_foreign_ticket_has_no_timer_and_no_ticket_alarms(resources, alarms):
    foreign = resources(Ticket="aws-ssm:///kyc/ticket")

    assert "RefreshTicketTimer" not in foreign
    assert alarms.keys() - foreign.keys() == {
        "TicketAgeAlarm",
        "TicketRefreshesFailedAlarm",
        "RefreshesRefusedAlarm",
        "TicketRenewalsForcedAlarm",
    }


@pytest.mark.parametrize(
    ("topic", "target"),
    [("", "${AlertTopic}"), ("arn:aws:sns:eu-west-1:123456789012:ours",) * 2],
)
def test_alarms_go_to_the_given_topic_or_to_a_new_one(resources, topic, target):
    stack = resources(AlarmTopic=topic)

    assert ("AlertTopic" in stack) is ("AlertKey" in stack) is (topic == "")
    for alarm in alarms_of(stack).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [target]


def test_new_topic_is_encrypted_with_a_key_that_cloudwatch_may_use(resources):
    stack = resources()

    assert stack["AlertTopic"]["Properties"]["KmsMasterKeyId"] == "${AlertKey}"
    statements = stack["AlertKey"]["Properties"]["KeyPolicy"]["Statement"]
    assert {"Service": "cloudwatch.amazonaws.com"} in [
        statement["Principal"] for statement in statements
    ]


def test_dashboard_shows_emitted_metrics(resources, alarms):
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
    with_alarm = {alarm["MetricName"] for alarm in alarms.values()}
    assert with_alarm - {metric for _, metric, *_ in shown} == {"Sweeps", "AppsStopped"}


def expand(metrics: list[list[str]]) -> Iterator[list[str]]:
    """Expand a dashboard's short forms: `.` repeats one part, `...` all before it."""
    last: list[str] = []
    for short in metrics:
        row = list(short)
        if row[0] == "...":
            row = [*last[: len(last) - len(row) + 1], *row[1:]]
        last = [last[at] if part == "." else part for at, part in enumerate(row)]
        yield last
