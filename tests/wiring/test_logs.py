"""One JSON line per fact, and the metrics that facts carry."""

import io
import json
import logging

import pytest

from kycourier.core.outcomes import EFFECTS, Outcome
from kycourier.logs import BY_OUTCOME, FACTS, FIELDS, PowertoolsJournal

RESERVED = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def journal(stream):
    return PowertoolsJournal(stream, app_id="SANDBOX1")


def test_a_fact_is_one_json_line(journal, stream):
    journal.note("order_settled", order_no="order1", state="parked", attempts=2)
    [line] = stream.getvalue().splitlines()
    fact = json.loads(line)
    assert (fact["level"], fact["message"]) == ("INFO", "order_settled")
    assert (fact["order_no"], fact["state"], fact["attempts"]) == (
        "order1",
        "parked",
        2,
    )
    assert fact["service"] == "kycourier"


def test_each_fact_has_a_level_that_exists(journal):
    for fact in FACTS:
        fields = {"outcome": "ok"} if fact in BY_OUTCOME else {}
        journal.note(fact, **fields)


def test_fields_do_not_clash_with_the_loggers_own():
    assert not FIELDS & RESERVED


@pytest.mark.parametrize(
    ("fact", "fields"), [("order_lost", {}), ("order_settled", {"card_number": "4"})]
)
def test_an_unknown_fact_or_field_is_refused(journal, stream, fact, fields):
    with pytest.raises(KeyError):
        journal.note(fact, **fields)
    assert not stream.getvalue()


@pytest.mark.parametrize(
    "value",
    ["a b", "https://x?secret=1", 'a"b', "a\nb", "é", "x" * 161, "a=b", "\ud800"],
)
def test_a_value_that_is_no_plain_word_is_not_shown(journal, stream, value):
    journal.note("object_unreferenced", key=value)
    assert json.loads(stream.getvalue())["key"] == "unprintable"


def emf(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_metrics_are_one_emf_line_at_flush_and_only_once(journal, capsys):
    journal.note("ticket_refreshed", generation=1)
    journal.note("ticket_refreshed", generation=2)
    journal.note("brake_tripped", seconds=7.5)
    journal.flush()
    journal.flush()
    [line] = emf(capsys)
    assert line["TicketsRefreshed"] == [2.0]
    assert (line["BrakeTrips"], line["BrakeSeconds"]) == ([1.0], [7.5])
    [described] = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "kycourier"
    units = {metric["Name"]: metric["Unit"] for metric in described["Metrics"]}
    assert units["BrakeSeconds"] == "Seconds"


@pytest.mark.parametrize("outcome", Outcome)
def test_each_outcome_counts_its_own_metric(journal, capsys, outcome):
    journal.note("attempt_ended", outcome=outcome.value)
    journal.flush()
    [line] = emf(capsys)
    assert line[EFFECTS[outcome].metric] == [1.0]


def test_nothing_noted_is_nothing_flushed(journal, capsys):
    journal.flush()
    assert not capsys.readouterr().out


def test_metrics_are_written_at_once_so_that_no_line_of_another_thread_comes_between(
    journal, monkeypatch
):
    writes = []

    class Output(io.StringIO):
        def write(self, text: str) -> int:
            writes.append(text)
            return len(text)

    monkeypatch.setattr("sys.stdout", Output())
    journal.note("ticket_refreshed", generation=1)
    journal.flush()

    [line] = writes
    assert line.endswith("}\n")


def test_metrics_are_off_where_powertools_are(journal, capsys, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    journal.note("ticket_refreshed", generation=1)
    journal.flush()

    assert not capsys.readouterr().out
