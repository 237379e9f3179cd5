"""What only a plain process has: this Python, any text, the real files, one life."""

from contextlib import closing

import pytest

from acting import act_plainly
from kycourier_devkit.errors import (
    FunctionDied,
    FunctionNotStarted,
    FunctionProblem,
    UsageProblem,
)
from kycourier_devkit.functions import process as function_process
from kycourier_devkit.functions.process import (
    FUNCTIONS,
    FunctionProcess,
    function_file,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def function(tmp_path):
    with closing(act_plainly(tmp_path)) as actors:
        yield actors.start()


def test_any_text_of_json_goes_in_and_comes_back(function):
    assert function.invoke("é\ud800")["event"] == "é\ud800"


def test_the_handler_has_the_least_memory(function):
    assert function.invoke("context")["memory_limit_in_mb"] == 256


def test_not_even_a_path_is_among_its_variables(function):
    assert "PATH" not in function.invoke("environ")["environ"]


@pytest.mark.parametrize(("event", "seconds"), [("exit", 5), ({"sleep": 30}, 0.2)])
def test_what_has_ended_stays_dead(function, event, seconds):
    function.wait_until_ready()
    with pytest.raises(FunctionProblem):
        function.invoke(event, timeout_seconds=seconds)
    with pytest.raises(FunctionDied):
        function.invoke(1)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_missing_setting_is_reported_as_that_sentence(name):
    with pytest.raises(FunctionNotStarted) as failed:  # noqa: SIM117 - one line each
        with FunctionProcess(function_file(name), {}):
            pass
    assert str(failed.value) == "KYCOURIER_APP_ID: is not set"
    assert failed.value.is_setting


def test_functions_that_are_not_there_are_told_of(monkeypatch, tmp_path):
    monkeypatch.setattr(function_process, "__file__", str(tmp_path / "a/b/c/d.py"))
    with pytest.raises(UsageProblem, match=r"functions/orders_api\.py is not beside"):
        function_file("orders_api")
