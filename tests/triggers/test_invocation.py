"""An invocation's time limit, request id and failures."""

import io
import json
import math
import threading
import time
import traceback

import pytest

from kycourier.core.errors import HandlerFailedError, StoreUnavailableError
from kycourier.logs import PowertoolsEventLog
from kycourier.triggers.invocation import (
    Invocation,
    parse_remaining_seconds,
    parse_request_id,
)
from support.fakes import FakeClock
from support.sample_events import sample_event

CANARY = "canary4111111111111111"


def invocation(stream):
    event_log = PowertoolsEventLog(stream, app_id="SANDBOX1")
    return Invocation("collect_results", clock=FakeClock(), event_log=event_log)


class Context:
    def __init__(self, milliseconds):
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self):
        return self._milliseconds


def repr_short(value):
    shown = repr(value)[:30]
    return type(value).__name__ if " object at " in shown else shown


@pytest.mark.parametrize(
    ("context", "seconds"),
    [
        (Context(30_000), 30),
        (Context(800), 0.8),
        ({"time_limit_in_ms": 3000, "request_id": "r"}, 3),
        ({"request_id": "r"}, 58),
        ({"time_limit_in_ms": "x"}, 58),
        (None, 58),
        (Context(None), 58),
        ({"time_limit_in_ms": 0}, 0),
        ({"time_limit_in_ms": -1}, 58),
        ({"time_limit_in_ms": True}, 58),
        ({"time_limit_in_ms": math.nan}, 58),
        ({"time_limit_in_ms": math.inf}, 900),
        ({"time_limit_in_ms": 10**400}, 900),
        ("time_limit_in_ms", 58),
        (Context(-5), 58),
        (Context(10**400), 900),
        (sample_event("scf_context"), 30),
    ],
    ids=repr_short,
)
def test_remaining_seconds_are_parsed_from_every_context(context, seconds):
    assert parse_remaining_seconds(context) == seconds


class LambdaContext(Context):
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


NAMED = [
    (LambdaContext(3000), LambdaContext.aws_request_id),
    (sample_event("scf_context"), "f03dc946-3df4-45a0-8e54-0f6a1c2d3e4b"),
    ({"request_id": "a b"}, "unprintable"),
    ({"request_id": "\ud800"}, "unprintable"),
]
UNNAMED = [{}, None, "request_id", {"request_id": 5}, {"request_id": ""}, Context(3000)]


@pytest.mark.parametrize(("context", "shown"), NAMED, ids=repr_short)
def test_log_lines_carry_their_request_id(context, shown):
    stream = io.StringIO()
    ours = invocation(stream)
    for _ in range(2):
        with pytest.raises(HandlerFailedError):
            ours.run(lambda _: 1 / 0, context)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["request_id"] for line in lines] == [shown, shown]


def test_late_log_line_carries_the_request_id_of_its_own_invocation():
    stream, resume, ended = io.StringIO(), threading.Event(), threading.Event()
    ours = invocation(stream)

    def hang(_):
        resume.wait(30)
        ours._event_log.emit("sweep_finished")
        ended.set()

    with pytest.raises(HandlerFailedError):
        ours.run(hang, {"time_limit_in_ms": 1, "request_id": "first"})
    ours.run(lambda _: resume.set() or ended.wait(30), {"request_id": "second"})
    *_, late = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (late["message"], late["request_id"]) == ("sweep_finished", "first")


@pytest.mark.parametrize("context", UNNAMED, ids=repr_short)
def test_request_id_does_not_leak_into_the_next_invocation(context):
    stream = io.StringIO()
    ours = invocation(stream)
    ours.run(lambda _: None, {"request_id": "earlier"})
    assert parse_request_id(context) is None
    with pytest.raises(HandlerFailedError):
        ours.run(lambda _: 1 / 0, context)
    assert "request_id" not in json.loads(stream.getvalue())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailableError("locked out"), "store_unavailable"),
        (ValueError(CANARY), "ValueError"),
    ],
)
def test_failure_exposes_only_an_error_code(error, code, capsys):
    stream = io.StringIO()

    def fail(_):
        secret = CANARY  # noqa: F841 - crash reporters read locals
        raise error

    with pytest.raises(HandlerFailedError) as caught:
        invocation(stream).run(fail, None)
    left = caught.value
    assert str(left) == f"handler_failed: {code}"
    assert left.__context__ is left.__cause__ is None
    ours = left.__traceback__.tb_next  # without this test's own frame
    shown = traceback.TracebackException(type(left), left, ours, capture_locals=True)
    texts = "".join(shown.format()) + stream.getvalue() + capsys.readouterr().out
    assert CANARY not in texts
    line = json.loads(stream.getvalue())
    assert (line["message"], line["error"]) == ("handler_failed", code)
    problem = None if code == "ValueError" else "locked_out"
    assert line.get("problem") == problem


def test_work_receives_the_remaining_time():
    work = invocation(io.StringIO())
    assert work.run(lambda left: left.seconds(), Context(9000)) == 9


def test_hanging_work_fails_before_the_time_limit_and_resets_the_time_left():
    begun, end, stream = time.monotonic(), threading.Event(), io.StringIO()
    ours = invocation(stream)
    try:
        with pytest.raises(HandlerFailedError, match="out_of_time"):
            ours.run(lambda _: end.wait(60), Context(1000))
        assert time.monotonic() - begun < 0.9
    finally:
        end.set()
    line = json.loads(stream.getvalue())
    assert (line["error"], line["problem"]) == ("out_of_time", "hangs")
    assert ours.seconds_left() == math.inf
