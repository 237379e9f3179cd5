"""Particulars of a local function process: the real files, and no restart."""

from contextlib import closing

import pytest

from kycourier_devkit.emulators.local_runtime import process
from kycourier_devkit.emulators.local_runtime.process import (
    function_file,
)
from kycourier_devkit.errors import (
    FunctionError,
    FunctionExitedError,
    UsageError,
)
from support.processes.probe_functions import probe_in_process

pytestmark = pytest.mark.slow


@pytest.fixture
def function(tmp_path):
    with closing(probe_in_process(tmp_path)) as actors:
        yield actors.start()


def test_event_may_contain_unpaired_surrogates(function):
    assert function.invoke("é\ud800")["event"] == "é\ud800"


def test_function_has_256_megabytes_and_no_path(function):
    assert function.invoke("context")["memory_limit_in_mb"] == 256
    assert "PATH" not in function.invoke("environ")["environ"]


@pytest.mark.parametrize(("event", "seconds"), [("exit", 5), ({"sleep": 30}, 0.2)])
def test_process_that_ended_is_not_restarted(function, event, seconds):
    function.wait_until_ready()
    with pytest.raises(FunctionError):
        function.invoke(event, timeout_seconds=seconds)
    with pytest.raises(FunctionExitedError):
        function.invoke(1)


def test_missing_function_file_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr(process, "__file__", str(tmp_path / "a/b/c/d/e.py"))
    with pytest.raises(UsageError, match=r"functions/orders_api\.py is not beside"):
        function_file("orders_api")
