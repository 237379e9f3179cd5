"""Steps run in order, failures are counted, and steps left out are printed."""

import io

import pytest

from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.demo.environments.traits import AWS, LOCAL, TENCENT
from kycourier_devkit.demo.runner import Check, Step, run_step, run_steps
from kycourier_devkit.demo.scenario import STEPS
from kycourier_devkit.errors import FunctionExitedError


def step(name, *checks):
    return Step(name, f"Title of {name}.", lambda _: iter(checks))


def run(*steps, not_included=None):
    printed = io.StringIO()
    terminal = Terminal(printed, printed)
    failed = run_steps(terminal, None, steps, not_included=not_included or {})
    return failed, printed.getvalue().splitlines()


def test_steps_are_numbered_and_fail_if_any_check_fails():
    failing = step("two", Check("b", passed=False), Check("c", passed=True))

    assert run(step("one", Check("a", passed=True)), failing) == (
        1,
        [
            " 1  Title of one.",
            "    ok  a",
            " 2  Title of two.",
            "    NO  b",
            "    ok  c",
        ],
    )


def test_step_that_is_not_included_is_printed_with_its_reason():
    excluded = {"two": "no queue", "three": "no queue"}

    assert run(step("one"), step("two"), step("three"), not_included=excluded) == (
        0,
        [
            " 1  Title of one.",
            "",
            "Not part of this demo:",
            "    two, three: no queue",
        ],
    )


@pytest.mark.parametrize(
    "error",
    [FunctionExitedError("orders_api", -9), KeyError("state"), TypeError("None")],
)
def test_error_in_a_step_is_a_failed_check(error):
    def play(_):
        yield Check("before the error", passed=True)
        raise error

    checks = list(run_step(Step("name", "A step.", play), None))

    assert [check.passed for check in checks] == [True, False]


def test_environments_leave_out_existing_steps_and_none_is_left_out_by_all():
    names = [step.name for step in STEPS]
    excluded = [each.not_included.keys() for each in (AWS, LOCAL, TENCENT)]

    assert len(names) == len(set(names))
    assert set().union(*excluded) <= set(names)
    assert not set.intersection(*map(set, excluded))
