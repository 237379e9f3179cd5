"""Alarms and dashboard watch what is emitted, and say where to read on."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any

import pytest

from kycourier import logs
from kycourier.core.outcomes import EFFECTS
from kycourier_devkit.toolbox import ROOT
from rendered import APP_ID, BY_TOOLS

pytestmark = BY_TOOLS

Resources = Callable[..., dict[str, Any]]

COUNTS = {
    name
    for fact in logs.FACTS.values()
    for name, field in fact.metrics.items()
    if field is None
} | {effect.metric for effect in EFFECTS.values()}
GAUGES = {
    name
    for fact in logs.FACTS.values()
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
    *("TicketRefreshesFailed", "OrdersParked", "AppsStopped", "BrakeTrips"),
    *("ResultConflicts", "EvidenceConflicts", "EvidenceFailures", "RowsUnreadable"),
    "HandlerFailures",
    *("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"),
    *("Throttles", "Errors"),
}
SILENCE = {"TicketAgeSeconds", "OldestDueSeconds", "OldestUnsentSeconds", "Sweeps"}


def alarms(resources: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the alarms' properties by their logical ids."""
    return {
        logical: made["Properties"]
        for logical, made in resources.items()
        if made["Type"] == "AWS::CloudWatch::Alarm"
    }


def dimensions(alarm: Mapping[str, Any]) -> dict[str, str]:
    """Give an alarm's dimensions."""
    return {each["Name"]: each["Value"] for each in alarm["Dimensions"]}


def test_every_fault_that_needs_a_person_has_its_alarm(resources: Resources) -> None:
    watched = {alarm["MetricName"] for alarm in alarms(resources()).values()}

    assert watched == WATCHED


def test_metrics_of_ours_are_emitted_with_these_dimensions(
    resources: Resources, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = logs.PowertoolsJournal(StringIO(), app_id=APP_ID["AppId"])
    journal.note("sweep_finished", orders_due=1, oldest_due_seconds=2.0)
    journal.flush()
    emitted = json.loads(capsys.readouterr().out)
    (form,) = emitted["_aws"]["CloudWatchMetrics"]
    (names,) = form["Dimensions"]
    told = {name: emitted[name] for name in names}

    ours = [
        alarm
        for alarm in alarms(resources()).values()
        if alarm["Namespace"] == form["Namespace"]
    ]
    assert len(ours) == 13
    for alarm in ours:
        assert dimensions(alarm) == told == OURS
        assert alarm["MetricName"] in COUNTS | GAUGES


def test_gauges_are_watched_by_their_highest_value_and_counts_by_their_sum(
    resources: Resources,
) -> None:
    for alarm in alarms(resources()).values():
        if alarm["Namespace"] == "kycourier":
            is_gauge = alarm["MetricName"] in GAUGES
            assert alarm["Statistic"] == ("Maximum" if is_gauge else "Sum")


def test_metrics_of_aws_are_known_ones_of_a_queue_or_a_function_of_the_stack(
    resources: Resources,
) -> None:
    made = resources()
    for alarm in alarms(made).values():
        if alarm["Namespace"] != "kycourier":
            key = (alarm["Namespace"], alarm["MetricName"])
            ((name, value),) = dimensions(alarm).items()
            assert name == AWS_METRICS[key]
            assert value.strip("${}").partition(".")[0] in made


def test_throttling_and_errors_are_watched_for_every_function(
    resources: Resources,
) -> None:
    made = resources()
    functions = {
        f"${{{logical}}}"
        for logical, each in made.items()
        if each["Type"] == "AWS::Lambda::Function"
    }
    for metric in ("Errors", "Throttles"):
        watched = {
            dimensions(alarm)["FunctionName"]
            for alarm in alarms(made).values()
            if alarm["MetricName"] == metric
        }
        assert watched == functions


def test_dead_letters_are_those_of_the_dead_letter_queue(resources: Resources) -> None:
    alarm = alarms(resources())["DeadLettersAlarm"]

    assert dimensions(alarm) == {"QueueName": "${DeadLetterQueue.QueueName}"}


def test_missing_data_rings_where_silence_is_the_fault(resources: Resources) -> None:
    for alarm in alarms(resources()).values():
        is_silence = alarm["MetricName"] in SILENCE
        wanted = "breaching" if is_silence else "notBreaching"
        assert alarm["TreatMissingData"] == wanted


def test_limits_are_those_of_the_runbook(resources: Resources) -> None:
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


def test_each_alarm_names_its_section_of_the_runbook_which_names_its_metric(
    resources: Resources,
) -> None:
    sections = dict(read_sections())
    for alarm in alarms(resources()).values():
        named = re.match(
            r"docs/operations\.md#([a-z-]+): \S", alarm["AlarmDescription"]
        )
        assert named is not None
        assert alarm["MetricName"] in sections[named[1]]


def test_alarms_of_the_ticket_are_not_there_where_somebody_else_keeps_it(
    resources: Resources,
) -> None:
    owned = alarms(resources())
    foreign = alarms(resources(Ticket="aws-ssm:///kyc/ticket"))

    assert owned.keys() - foreign.keys() == {
        "TicketAgeAlarm",
        "TicketRefreshesFailedAlarm",
    }


@pytest.mark.parametrize(
    ("topic", "goes_to"),
    [
        ("", "${AlertTopic}"),
        ("arn:aws:sns:eu-west-1:123456789012:ours",) * 2,
    ],
)
def test_alarms_go_to_the_topic_that_is_given_or_made(
    resources: Resources, topic: str, goes_to: str
) -> None:
    made = resources(AlarmTopic=topic)

    assert ("AlertTopic" in made) is ("AlertKey" in made) is (topic == "")
    for alarm in alarms(made).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [goes_to]


def test_made_topic_is_encrypted_with_a_key_that_lets_cloudwatch_in(
    resources: Resources,
) -> None:
    made = resources()

    assert made["AlertTopic"]["Properties"]["KmsMasterKeyId"] == "${AlertKey}"
    statements = made["AlertKey"]["Properties"]["KeyPolicy"]["Statement"]
    assert {"Service": "cloudwatch.amazonaws.com"} in [
        statement["Principal"] for statement in statements
    ]


def test_dashboard_shows_metrics_that_are_emitted(resources: Resources) -> None:
    body = json.loads(resources()["Dashboard"]["Properties"]["DashboardBody"])

    shown = [
        each
        for widget in body["widgets"]
        for each in spell_out(widget["properties"]["metrics"])
    ]
    assert len(shown) > 30
    for namespace, metric, *pairs in shown:
        told = dict(zip(pairs[::2], pairs[1::2], strict=True))
        if namespace == "kycourier":
            assert metric in COUNTS | GAUGES
            assert told == OURS
        else:
            assert list(told) == [AWS_METRICS[namespace, metric]]
    watched = {alarm["MetricName"] for alarm in alarms(resources()).values()}
    assert watched - {metric for _, metric, *_ in shown} == {"Sweeps", "AppsStopped"}


def spell_out(metrics: list[list[str]]) -> Iterator[list[str]]:
    """Write out a dashboard's short forms: `.` is as above, `...` all that is."""
    last: list[str] = []
    for given in metrics:
        row = list(given)
        if row[0] == "...":
            row = [*last[: len(last) - len(row) + 1], *row[1:]]
        last = [last[at] if part == "." else part for at, part in enumerate(row)]
        yield last


def read_sections() -> Iterator[tuple[str, str]]:
    """Give the runbook's sections by their anchors."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:]:
        heading = section.partition("\n")[0]
        yield re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-"), section
