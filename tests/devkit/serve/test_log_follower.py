"""serve prints a line for each order that moves; a stopped app stands out."""

import json
from datetime import datetime, timezone
from threading import Event, Thread

import pytest
from msgspec.structs import replace

from kycourier.core.causes import Cause, LastProblem
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.orders.record import OrderState
from kycourier_devkit.orders.cause_hints import HINTS
from kycourier_devkit.serve.log_follower import LogFollower
from support.sample_records import APP, draft, settled

RESUMED = ("RESUMED", "calls to the platform go on")  # the last line of a run
DUE = datetime(2026, 1, 1, 12, 30, 5, tzinfo=timezone.utc)
PROBLEM = LastProblem(cause=Cause.HTTP_STATUS, at=DUE, http_status=503)
WAITING = replace(
    draft("A1"), state=OrderState.WAITING, due_at=DUE, last_problem=PROBLEM
)
PENDING = replace(WAITING, reason="photos_pending", last_problem=None)
EXPIRED = replace(WAITING, state=OrderState.EXPIRED, due_at=None, reason="expired")


class Orders:
    """Holds one order, or fails."""

    def __init__(self, record):
        self._record = record

    def get(self, key):
        assert (key.app_id, key.order_no) == (APP, "A1")
        if isinstance(self._record, Exception):
            raise self._record
        return self._record


def follow(tmp_path, *events, record=None):
    """Return what is printed for the events that are appended in two halves."""
    file, printed, stop = tmp_path / "functions.log", [], Event()
    file.write_text('{"message":"app_stopped"}\n')  # an earlier run's

    def log(*line):
        printed.append(line)
        if line == RESUMED:
            stop.set()

    follower = LogFollower(file, app_id=APP, orders=Orders(record), log=log, stop=stop)
    thread = Thread(target=follower.run)
    thread.start()
    lines = [json.dumps(event) for event in (*events, {"message": "breaker_closed"})]
    text = "not JSON\n[]\n" + "\n".join(lines) + "\n"
    for part in (text[: len(text) // 2], text[len(text) // 2 :]):
        with file.open("a") as log_file:
            log_file.write(part)
    thread.join(10)
    assert not thread.is_alive()
    return printed[:-1]


@pytest.mark.parametrize(
    ("record", "event", "parts"),
    [
        (
            settled(draft("A1")),
            "order_settled",
            ["collected", "411111******1111", "0 (3 missing) photos", "event e1"],
        ),
        (WAITING, "order_waiting", ["waiting", "http_status 503", "next 12:30:05"]),
        (PENDING, "order_waiting", ["waiting", "photos_pending", "next 12:30:05"]),
        (
            replace(WAITING, state=OrderState.PARKED, due_at=None),
            "order_settled",
            ["parked", "http_status 503"],
        ),
        (
            replace(EXPIRED, last_problem=None),
            "order_settled",
            ["expired", "expired"],
        ),
        (None, "order_settled", ["-"]),
        (StoreUnavailableError("gone"), "order_settled", ["store_unavailable"]),
    ],
)
def test_order_that_moves_has_one_line(tmp_path, record, event, parts):
    event = {"message": event, "order_no": "A1"}
    [(number, text)] = follow(tmp_path, event, record=record)
    assert number == "A1"
    assert [each.strip() for each in text.split("  ") if each.strip()] == parts


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            {"message": "app_stopped", "cause": "app_stopped", "code": "66660002"},
            ("APP STOPPED", f"app_stopped 66660002: {HINTS[Cause.APP_STOPPED]}"),
        ),
        (
            {
                "message": "breaker_opened",
                "cause": "http_status",
                "http_status": 429,
                "seconds": 5,
            },
            ("PAUSED", "http_status 429: calls pause for 5 s"),
        ),
        (
            {
                "message": "ticket_refresh_failed",
                "cause": "refresh_refused",
                "code": "400105",
            },
            ("ticket", f"refresh_refused 400105: {HINTS[Cause.REFRESH_REFUSED]}"),
        ),
        ({"message": "attempt_ended", "outcome": "ok"}, None),
    ],
)
def test_app_and_ticket_stand_out_with_the_cure(tmp_path, event, line):
    assert follow(tmp_path, event) == ([line] if line else [])


def test_following_stops_while_a_line_is_unfinished(tmp_path):
    file, stop = tmp_path / "functions.log", Event()
    file.touch()
    follower = LogFollower(file, app_id=APP, orders=Orders(None), log=print, stop=stop)
    thread = Thread(target=follower.run)
    thread.start()
    file.write_text('{"message":')
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
