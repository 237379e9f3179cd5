"""What a cloud is told of a failure, and keeps in logs and dead letters, is silent."""

import sqlite3
from contextlib import closing

import pytest

from built import PACKAGED
from houses import TIMER
from kycourier_devkit.errors import FunctionFailed
from kycourier_devkit.scf_runtime.events import build_ckafka_event
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


def test_a_ckafka_batch_that_the_store_failed_leaves_no_canary_in_scfs_log(scf):
    """It is what comes again, and what SCF writes of it: a code and lines of ours."""
    with scf.start("collect_results") as function:
        function.invoke({"order_no": "plain1"})
        with closing(sqlite3.connect(scf.folder / "state.db")) as state:
            state.execute("DROP TABLE orders")
            state.execute("DROP TABLE leases")
        with pytest.raises(FunctionFailed) as failed:
            function.invoke(build_ckafka_event(['{"order_no":"plain2"}']))
    assert failed.value.code == "store_unavailable"
    told = scf.log.read_text()
    assert "HandlerFailed: handler_failed: store_unavailable" in told
    canaries = [*scf.sandbox.canaries(), scf.environ["SECRET"], scf.environ["API_KEYS"]]
    assert find_leaks(canaries, {"log": told}) == []
