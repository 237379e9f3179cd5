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


def drop_tables(rig):
    """Make the state unusable to running functions."""
    with closing(sqlite3.connect(rig.folder / "state.db")) as state:
        state.execute("DROP TABLE orders")
        state.execute("DROP TABLE leases")


def canaries_in_log(rig):
    names = {"SECRET", "API_KEYS"} & rig.environ.keys()
    canaries = [*rig.sandbox.canaries(), *(rig.environ[name] for name in names)]
    return find_leaks(canaries, {"log": rig.log.read_text()})


@pytest.mark.parametrize(
    ("name", "event"),
    [("refresh_ticket", TIMER_EVENT), ("collect_results", {"order_no": "plain2"})],
)
def test_failure_on_lambda_logs_no_canary(lambda_rig, name, event):
    lambda_rig.environ["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
    with lambda_rig.start("collect_results") as collect:
        collect.invoke({"order_no": "plain1"})
    with lambda_rig.start(name) as function:
        drop_tables(lambda_rig)
        with pytest.raises(FunctionFailedError):
            function.invoke(event)
    log = lambda_rig.log.read_text()
    assert '"errorMessage": "handler_failed: store_unavailable"' in log
    assert '"stackTrace": [' in log
    assert canaries_in_log(lambda_rig) == []


def test_failed_ckafka_batch_on_scf_logs_no_canary(scf_rig):
    with scf_rig.start("collect_results") as function:
        function.invoke({"order_no": "plain1"})
        drop_tables(scf_rig)
        with pytest.raises(FunctionFailedError) as failed:
            function.invoke(build_ckafka_event(['{"order_no":"plain2"}']))
    assert failed.value.code == "store_unavailable"
    log = scf_rig.log.read_text()
    assert "HandlerFailedError: handler_failed: store_unavailable" in log
    assert canaries_in_log(scf_rig) == []
