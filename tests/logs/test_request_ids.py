"""A log line carries the request id of the invocation that began its work."""

import io
import json
import threading
from contextlib import suppress

import pytest

from kycourier.core.errors import HandlerFailedError
from kycourier.logs import PowertoolsEventLog
from kycourier.triggers.invocation import Invocation
from kycourier.usecases.concurrency import BoundedPool
from support.fakes import FakeClock

FIRST, SECOND = (
    {"request_id": each, "time_limit_in_ms": 500} for each in ("first", "second")
)


def run_directly(work, _):
    work()


def run_in_a_pool(work, deadline):
    BoundedPool(size=2).run(lambda *_: work(), [1, 2], deadline)


@pytest.mark.parametrize("run", [run_directly, run_in_a_pool])
def test_line_of_an_abandoned_thread_keeps_the_id_of_its_own_invocation(run):
    stream = io.StringIO()
    event_log = PowertoolsEventLog(stream, app_id="SANDBOX1")
    invocation = Invocation("collect_results", clock=FakeClock(), event_log=event_log)
    released, logged = threading.Event(), threading.Semaphore(0)

    def log_late():
        released.wait(20)
        event_log.emit("order_settled", order_no="late")
        logged.release()

    with suppress(HandlerFailedError):  # unless the pool abandons its threads first
        invocation.run(lambda deadline: run(log_late, deadline), FIRST)

    def log_after_the_late_thread(_):
        event_log.emit("order_settled", order_no="begun")
        released.set()
        assert logged.acquire(timeout=20)
        event_log.emit("order_settled", order_no="next")

    invocation.run(log_after_the_late_thread, SECOND | {"time_limit_in_ms": 60_000})

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    ids = {line["order_no"]: line["request_id"] for line in lines if "order_no" in line}
    assert ids == {"late": "first", "begun": "second", "next": "second"}
