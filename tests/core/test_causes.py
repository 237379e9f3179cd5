"""Causes: one list of words, each with a metric, a runbook row, a hint and a schema."""

import ast
import json
import re
from datetime import datetime, timedelta, timezone
from pkgutil import get_data

import pytest

from kycourier.core.causes import (
    CAUSE_METRICS,
    Cause,
    LastProblem,
    Problem,
    count_problem,
    metric_of,
    problem_of_code,
    problem_of_refresh,
)
from kycourier.core.result_codes import CodeClass, Rejected, load_codes
from kycourier_devkit.orders.cause_hints import HINTS
from kycourier_devkit.repository import ROOT

WORDS = [cause.value for cause in Cause]
PACKAGE = ROOT / "layers/service/python/kycourier"
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
TIMEOUT = Problem(Cause.TIMED_OUT)


def schema(name):
    return json.loads(get_data("kycourier", f"schemas/{name}"))


def test_every_cause_has_a_metric_a_hint_and_a_place_in_both_schemas():
    assert {metric_of(cause, None) for cause in Cause} <= CAUSE_METRICS
    assert [cause.value for cause in HINTS] == WORDS
    assert all(len(hint) <= 60 for hint in HINTS.values())
    assert schema("event.schema.json")["$defs"]["Cause"]["enum"] == WORDS
    assert schema("openapi.json")["components"]["schemas"]["Cause"]["enum"] == WORDS


def test_runbook_has_a_row_for_every_cause_and_no_other():
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    section = page.partition("\n## Causes\n")[2].partition("\n## ")[0]
    assert re.findall(r"(?m)^\| `([a-z_]+)` \|", section) == WORDS


def raised_words():
    """Yield the first argument of every TransportError in the service's source."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            if name in {"TransportError", "transport_errors"}:
                words = [each for each in node.args if isinstance(each, ast.Constant)]
                yield from (each.value for each in words[:1])


def test_every_reason_of_a_transport_error_is_a_cause():
    words = set(raised_words())
    assert {"timed_out", "connect_failed", "connection_reset"} <= words <= set(WORDS)


@pytest.mark.parametrize(
    ("status", "metric"),
    [
        (400, "ClientErrorReplies"),
        (429, "ClientErrorReplies"),
        (499, "ClientErrorReplies"),
        (302, "ServerErrorReplies"),
        (500, "ServerErrorReplies"),
    ],
)
def test_4xx_is_counted_apart(status, metric):
    assert metric_of(Cause.HTTP_STATUS, status) == metric


@pytest.mark.parametrize(
    ("class_", "cause"),
    [
        (CodeClass.THROTTLED, Cause.CODE_THROTTLED),
        (CodeClass.TRANSIENT, Cause.CODE_TRANSIENT),
        (CodeClass.PERMANENT, Cause.CODE_PERMANENT),
        (CodeClass.UNKNOWN, Cause.CODE_UNKNOWN),
        (CodeClass.CREDENTIALS, Cause.TICKET_REFUSED),
        (CodeClass.NOT_READY, None),
        (CodeClass.RECOGNITION_FAILED, None),
    ],
)
def test_class_of_a_code_names_the_cause(class_, cause):
    problem = problem_of_code(Rejected("400101", class_, "any"))
    assert problem == (cause and Problem(cause, code="400101"))


@pytest.mark.parametrize("code", ["66660001", "66660002"])
def test_unknown_and_expired_apps_stop_the_app_in_every_call(code):
    rejected = load_codes().classify(code)
    assert problem_of_code(rejected) == Problem(Cause.APP_STOPPED, code=code)
    assert problem_of_refresh(rejected) == Problem(Cause.APP_STOPPED, code=code)


def test_refused_token_is_a_refused_refresh():
    rejected = load_codes().classify("400101")
    assert problem_of_refresh(rejected) == Problem(Cause.REFRESH_REFUSED, "400101")


def test_count_grows_while_the_cause_stays_and_begins_anew_with_another():
    first = count_problem(None, TIMEOUT, now=AT)
    second = count_problem(first, TIMEOUT, now=AT + timedelta(seconds=5))
    other = count_problem(second, Problem(Cause.HTTP_STATUS, http_status=503), now=AT)

    assert (first.count, second.count, other.count) == (1, 2, 1)
    assert second.at == AT + timedelta(seconds=5)
    assert other.problem == Problem(Cause.HTTP_STATUS, http_status=503)


@pytest.mark.parametrize(
    ("last", "kept"),
    [(Cause.TIMED_OUT, True), (Cause.BREAKER_OPEN, False), (Cause.APP_STOPPED, False)],
)
def test_pause_does_not_hide_the_problem_that_led_to_it(last, kept):
    before = LastProblem(cause=last, at=AT, count=3)
    after = count_problem(before, Problem(Cause.BREAKER_OPEN), now=AT)
    assert (after == before) is kept
    assert kept or after.cause is Cause.BREAKER_OPEN


def test_detail_is_shown_only_if_there_is_one():
    problem = Problem(Cause.PHOTO_UNREADABLE, detail="original")
    shown = count_problem(None, problem, now=AT).describe()
    assert shown == {
        "cause": "photo_unreadable",
        "code": None,
        "http_status": None,
        "at": AT,
        "count": 1,
        "detail": "original",
    }
    assert "detail" not in count_problem(None, TIMEOUT, now=AT).describe()
    assert problem.fields() == {"cause": "photo_unreadable", "detail": "original"}
