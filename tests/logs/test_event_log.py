"""Log events are JSON lines with allow-listed fields, and carry metrics."""

import io
import json
import logging

import pytest

from kycourier.core.causes import CAUSE_METRICS
from kycourier.core.orders.outcomes import EFFECTS, Outcome
from kycourier.logs import COUNTED_BY_OUTCOME, FIELDS, LOG_EVENTS, PowertoolsEventLog


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def event_log(stream):
    return PowertoolsEventLog(stream, app_id="SANDBOX1")


def test_event_is_one_json_line(event_log, stream):
    event_log.emit("order_settled", order_no="order1", state="parked", attempts=2)
    [line] = stream.getvalue().splitlines()
    members = json.loads(line)
    assert (members["level"], members["message"]) == ("INFO", "order_settled")
    fields = (members["order_no"], members["state"], members["attempts"])
    assert fields == ("order1", "parked", 2)
    assert members["service"] == "kycourier"


def test_every_event_can_be_logged(event_log):
    for fact in LOG_EVENTS:
        fields = {"outcome": "ok"} if fact in COUNTED_BY_OUTCOME else {}
        event_log.emit(fact, **fields)


def test_fields_do_not_clash_with_log_record_attributes():
    reserved = {*logging.makeLogRecord({}).__dict__, "message", "asctime"}
    assert not FIELDS & reserved


@pytest.mark.parametrize(
    "value",
    ["a b", "https://x?secret=1", 'a"b', "a\nb", "é", "x" * 161, "a=b", "\ud800"],
)
def test_value_other_than_a_plain_word_is_not_logged(event_log, stream, value):
    event_log.emit("object_orphaned", key=value)
    assert json.loads(stream.getvalue())["key"] == "unprintable"


def emf(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_metrics_are_flushed_once_as_one_emf_line(event_log, capsys):
    event_log.flush()
    event_log.emit("ticket_refreshed", generation=1)
    event_log.emit("ticket_refreshed", generation=2)
    event_log.emit("breaker_opened", seconds=7.5)
    event_log.flush()
    event_log.flush()
    [line] = emf(capsys)
    assert line["TicketsRefreshed"] == [2.0]
    assert (line["BreakerOpenings"], line["BreakerOpenSeconds"]) == ([1.0], [7.5])
    [described] = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "kycourier"
    units = {metric["Name"]: metric["Unit"] for metric in described["Metrics"]}
    assert units["BreakerOpenSeconds"] == "Seconds"


@pytest.mark.parametrize("outcome", Outcome)
def test_each_outcome_has_its_own_metric(event_log, capsys, outcome):
    event_log.emit("attempt_ended", outcome=outcome.value)
    event_log.flush()
    [line] = emf(capsys)
    assert line[EFFECTS[outcome].metric] == [1.0]


@pytest.mark.parametrize("event", ["attempt_ended", "ticket_refresh_failed"])
@pytest.mark.parametrize(
    ("fields", "metric"),
    [
        ({"cause": "timed_out"}, "ConnectionFailures"),
        ({"cause": "reply_not_json"}, "RepliesUnreadable"),
        ({"cause": "http_status", "http_status": 403}, "ClientErrorReplies"),
        ({"cause": "http_status", "http_status": 503}, "ServerErrorReplies"),
        ({"cause": "ticket_unreadable"}, "TicketsUnreadable"),
        ({"cause": "refresh_refused", "code": "400103"}, "RefreshesRefused"),
        ({"cause": "secret_unreadable"}, "ResourceFailures"),
        ({}, None),
    ],
)
def test_failed_attempt_counts_the_metric_of_its_cause(
    event_log, capsys, event, fields, metric
):
    for _ in range(2):
        event_log.emit(event, outcome="retry", **fields)
    event_log.flush()
    [line] = emf(capsys)
    found = {name: line[name] for name in CAUSE_METRICS & line.keys()}
    assert found == ({metric: [2.0]} if metric else {})


@pytest.mark.parametrize("event", ["order_waiting", "order_settled"])
def test_cause_of_an_order_s_line_is_not_counted_again(event_log, capsys, event):
    event_log.emit(event, cause="timed_out")
    event_log.flush()
    assert emf(capsys) == []


@pytest.mark.parametrize("measured", [(7.5, 200, 3), (200, None, 7.5), (200,)])
def test_gauge_keeps_the_maximum_until_it_is_flushed(event_log, capsys, measured):
    for seconds in measured:
        event_log.emit("order_waiting", failing_seconds=seconds)
    event_log.flush()
    event_log.emit("order_settled", failing_seconds=1)
    event_log.flush()
    first, second = emf(capsys)
    assert first["OrderFailingSeconds"] == [200.0]
    assert second["OrderFailingSeconds"] == [1.0]


def test_metrics_are_written_in_one_write(event_log, monkeypatch):
    writes = []

    class Output(io.StringIO):
        def write(self, text: str) -> int:
            writes.append(text)
            return len(text)

    monkeypatch.setattr("sys.stdout", Output())
    event_log.emit("ticket_refreshed", generation=1)
    event_log.flush()

    [line] = writes
    assert line.endswith("}\n")


def test_disabled_powertools_write_no_metrics(event_log, capsys, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    event_log.emit("ticket_refreshed", generation=1)
    event_log.flush()

    assert not capsys.readouterr().out
