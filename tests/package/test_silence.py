"""What Lambda is told of a failure, and keeps in logs and dead letters, is silent."""

import sqlite3
from contextlib import closing

import pytest

from built import PACKAGED
from houses import TIMER
from kycourier_devkit.errors import FunctionFailed
from leak_scan import find_leaks

pytestmark = PACKAGED


@pytest.mark.parametrize(
    ("name", "event"),
    [("refresh_ticket", TIMER), ("collect_results", {"order_no": "plain2"})],
)
def test_a_failures_type_message_and_trace_hold_no_canary(aws, name, event):
    aws.environ["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
    with aws.start("collect_results") as collect:
        collect.invoke({"order_no": "plain1"})
    with aws.start(name) as function:
        with closing(sqlite3.connect(aws.folder / "state.db")) as state:
            state.execute("DROP TABLE orders")
            state.execute("DROP TABLE leases")
        with pytest.raises(FunctionFailed):
            function.invoke(event)
    told = aws.log.read_text()
    assert '"errorType": "HandlerFailed"' in told
    assert '"errorMessage": "handler_failed: store_unavailable"' in told
    assert '"stackTrace": [' in told
    canaries = [*aws.sandbox.canaries(), aws.environ["SECRET"]]
    assert find_leaks(canaries, {"log": told}) == []
