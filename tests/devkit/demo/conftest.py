"""The scenario, run in an environment that a test opens."""

import io

import pytest

from kycourier.adapters.system import SystemClock
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.demo.runner import run_steps
from kycourier_devkit.demo.scenario import STEPS
from kycourier_devkit.errors import ToolUnavailableError


@pytest.fixture
def run_scenario(tmp_path):
    """Return a function that runs all steps in an environment and returns it.

    It checks that every step passes and every line fits into 80 columns. If a tool is
    missing, it skips the test.
    """

    def run(open_environment):
        printed = io.StringIO()
        context = CliContext({}, tmp_path, Terminal(printed, printed), SystemClock())
        try:
            with open_environment(context) as environment:
                excluded = environment.traits.not_included
                failed = run_steps(
                    context.terminal, environment, STEPS, not_included=excluded
                )
        except ToolUnavailableError as missing:
            pytest.skip(str(missing))
        text = printed.getvalue()
        assert not failed, text
        assert text.count("    ok  ") > 2 * (len(STEPS) - len(excluded))
        assert max(map(len, text.splitlines())) <= 80
        return environment

    return run
