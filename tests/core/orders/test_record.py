"""An order's row determines its pending work and what the API shows."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from kycourier.core.causes import Cause, LastProblem
from kycourier.core.orders.record import (
    OrderKey,
    OrderState,
    PendingWork,
    Reason,
    decode_record,
    describe,
    encode_record,
)
from kycourier.core.orders.results import FinalReason
from support.fakes import START
from support.sample_records import EVENT, draft

DUE = START + timedelta(hours=1)
REJECTED = draft(
    state=OrderState.REJECTED,
    reason="ocr_failed",
    result=FinalReason("-9011", "ocr_failed"),
    events=(EVENT,),
    due_at=DUE,
)
WAITING = draft(state=OrderState.WAITING, reason=Reason.NOT_READY.value, due_at=DUE)


@pytest.mark.parametrize("state", OrderState)
def test_four_states_are_final(state):
    final = {"collected", "rejected", "expired", "parked"}
    assert state.is_final is (state.value in final)


def test_identity_is_app_order_and_document():
    assert REJECTED.key == OrderKey("SANDBOX1", "order1")
    assert REJECTED.identity == {
        "app_id": "SANDBOX1",
        "order_no": "order1",
        "document": "bank_card",
    }


def test_pending_work_is_to_collect_then_publish_then_check_orphans():
    sent = replace(REJECTED, events=(replace(EVENT, sent=True),))
    works = [record.pending_work for record in (WAITING, REJECTED, sent)]
    assert works == [
        PendingWork.COLLECT,
        PendingWork.PUBLISH,
        PendingWork.CHECK_ORPHANS,
    ]


def test_oldest_unsent_event_dates_the_outbox():
    first = replace(EVENT, sent=True, created_at=START)
    second, third = (
        replace(EVENT, id=name, created_at=START + timedelta(seconds=later))
        for name, later in [("e2", 1), ("e3", 2)]
    )
    record = replace(REJECTED, events=(first, second, third))
    assert record.unsent == (second, third)
    assert record.unsent_since == START + timedelta(seconds=1)
    assert WAITING.unsent_since is None


def test_final_order_is_described_with_result_and_event():
    description = describe(REJECTED)
    reason = {"code": "-9011", "name": "ocr_failed"}
    assert description["result"] == {"document": "bank_card", "reason": reason}
    assert (description["event_id"], description["due_at"]) == ("e1", None)
    assert description["last_problem"] is None
    gone = describe(replace(REJECTED, photos_gone=("original",)))["result"]
    assert gone == {**description["result"], "photos_gone": ["original"]}


@pytest.mark.parametrize(
    "record", [WAITING, replace(REJECTED, state=OrderState.WAITING)]
)
def test_waiting_order_is_described_with_its_due_time_and_no_earlier_result(record):
    description = describe(record)
    assert (description["state"], description["reason"]) == ("waiting", record.reason)
    assert description["due_at"] == DUE
    assert description["result"] is description["event_id"] is None


def test_last_problem_and_the_failing_time_are_shown():
    last = LastProblem(cause=Cause.HTTP_STATUS, at=START, count=3, http_status=503)
    failing = replace(WAITING, last_problem=last, failing_since=START, updated_at=DUE)
    assert failing.failing_seconds == 3600
    assert describe(failing)["last_problem"] == {
        "cause": "http_status",
        "code": None,
        "http_status": 503,
        "at": START,
        "count": 3,
    }


def test_stored_row_leaves_out_defaults_but_never_its_schema():
    stored = msgspec.json.decode(encode_record(WAITING))
    assert stored["schema"] == 1
    assert {"reason", "state", "due_at"} <= stored.keys()
    assert stored.keys().isdisjoint({"events", "result", "fence", "last_problem"})
    assert decode_record(encode_record(WAITING)) == WAITING
    assert decode_record(encode_record(REJECTED)) == REJECTED
