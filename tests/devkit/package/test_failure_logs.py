"""A failure's type, message and trace in a cloud's logs hold no secret."""

import sqlite3
from contextlib import closing

import pytest

from kycourier_devkit.emulators.scf_runtime.events import build_ckafka_event
from kycourier_devkit.errors import FunctionFailedError
from support.built_packages import PACKAGED
from support.leaks.leak_scan import find_leaks
from support.processes.service_rig import TIMER_EVENT

pytestmark = PACKAGED


@pytest.mark.parametrize(
    ("name", "event"),
    [("refresh_ticket", TIMER_EVENT), ("collect_results", {"order_no": "plain2"})],
)
def test_failure_on_lambda_logs_no_canary(lambda_rig, name, event):
    lambda_rig.environ["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
    with lambda_rig.start("collect_results") as collect:
        collect.invoke({"order_no": "plain1"})
    with lambda_rig.start(name) as function:
        with closing(sqlite3.connect(lambda_rig.folder / "state.db")) as state:
            state.execute("DROP TABLE orders")
            state.execute("DROP TABLE leases")
        with pytest.raises(FunctionFailedError):
            function.invoke(event)
    log = lambda_rig.log.read_text()
    assert '"errorType": "HandlerFailedError"' in log
    assert '"errorMessage": "handler_failed: store_unavailable"' in log
    assert '"stackTrace": [' in log
    canaries = [*lambda_rig.sandbox.canaries(), lambda_rig.environ["SECRET"]]
    assert find_leaks(canaries, {"log": log}) == []


def test_failed_ckafka_batch_on_scf_logs_no_canary(scf_rig):
    with scf_rig.start("collect_results") as function:
        function.invoke({"order_no": "plain1"})
        with closing(sqlite3.connect(scf_rig.folder / "state.db")) as state:
            state.execute("DROP TABLE orders")
            state.execute("DROP TABLE leases")
        with pytest.raises(FunctionFailedError) as failed:
            function.invoke(build_ckafka_event(['{"order_no":"plain2"}']))
    assert failed.value.code == "store_unavailable"
    log = scf_rig.log.read_text()
    assert "HandlerFailedError: handler_failed: store_unavailable" in log
    canaries = [
        *scf_rig.sandbox.canaries(),
        scf_rig.environ["SECRET"],
        scf_rig.environ["API_KEYS"],
    ]
    assert find_leaks(canaries, {"log": log}) == []
