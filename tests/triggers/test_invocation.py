"""One invocation: its time, and what may leave it."""

import io
import json
import math
import threading
import time
import traceback

import pytest

from fakes import FakeClock
from kycourier.adapters.triggers.invocation import Invocation, parse_remaining_seconds
from kycourier.core.errors import HandlerFailed, StoreUnavailable
from kycourier.logs import PowertoolsJournal

CANARY = "canary4111111111111111"


class Context:
    def __init__(self, milliseconds):
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self):
        return self._milliseconds


@pytest.mark.parametrize(
    ("context", "seconds"),
    [
        (Context(30_000), 30),
        (Context(800), 0.8),
        ({"time_limit_in_ms": 3000, "request_id": "r"}, 3),
        ({"request_id": "r"}, 58),
        ({"time_limit_in_ms": "x"}, 58),
        (None, 58),
        (object(), 58),
        (Context(None), 58),
    ],
)
def test_remaining_time_of_every_context(context, seconds):
    assert parse_remaining_seconds(context) == seconds


def invocation(stream):
    journal = PowertoolsJournal(stream, app_id="SANDBOX1")
    return Invocation("collect_results", clock=FakeClock(), journal=journal)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailable("locked out"), "store_unavailable"),
        (ValueError(CANARY), "ValueError"),
        (KeyError(CANARY), "KeyError"),
    ],
)
def test_what_leaves_is_a_code_and_nothing_else(error, code, capsys):
    stream = io.StringIO()

    def fail(_):
        secret = CANARY  # noqa: F841 - a local, as crash reporters show them
        raise error

    with pytest.raises(HandlerFailed) as caught:
        invocation(stream).run(fail, None)
    left = caught.value
    assert str(left) == f"handler_failed: {code}"
    assert left.__context__ is left.__cause__ is None
    ours = left.__traceback__.tb_next  # without this test's own frame
    shown = traceback.TracebackException(type(left), left, ours, capture_locals=True)
    told = "".join(shown.format()) + stream.getvalue() + capsys.readouterr().out
    assert CANARY not in told
    fact = json.loads(stream.getvalue())
    assert (fact["message"], fact["error"]) == ("handler_failed", code)
    assert fact.get("problem") == (
        "locked_out" if code == "store_unavailable" else None
    )


def test_work_is_given_the_time_that_is_left():
    assert (
        invocation(io.StringIO()).run(lambda left: left.seconds(), Context(9000)) == 9
    )


def test_work_that_hangs_is_answered_for_before_the_time_is_over():
    begun, end, stream = time.monotonic(), threading.Event(), io.StringIO()
    try:
        with pytest.raises(HandlerFailed, match="out_of_time"):
            invocation(stream).run(lambda _: end.wait(60), Context(1000))
        assert time.monotonic() - begun < 0.9
    finally:
        end.set()
    fact = json.loads(stream.getvalue())
    assert (fact["error"], fact["problem"]) == ("out_of_time", "hangs")


def test_time_is_endless_again_when_work_that_hangs_was_given_up():
    ours, end = invocation(io.StringIO()), threading.Event()
    try:
        with pytest.raises(HandlerFailed):
            ours.run(lambda _: end.wait(60), Context(100))
    finally:
        end.set()

    assert ours.seconds_left() == math.inf
