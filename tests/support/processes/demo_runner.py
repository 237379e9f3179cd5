"""Runs a demo to its end and checks its output."""

import io
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import pytest
from kycourier_devkit.demo.script import Step, play_steps

from kycourier.adapters.system import SystemClock
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.errors import ToolUnavailableError

S = TypeVar("S")


def run_demo(
    steps: Sequence[Step[S]],
    prepare: Callable[[CliContext], AbstractContextManager[S]],
    folder: Path,
) -> S:
    """Run a demo's steps; asserts that each succeeds within 80 columns of output.

    Skips the test if a tool is unavailable. Returns what `prepare` yielded.
    """
    printed = io.StringIO()
    session = CliContext({}, folder, Terminal(printed, printed), SystemClock())
    try:
        with prepare(session) as resources:
            failed = play_steps(session.terminal, resources, steps)
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))
    text = printed.getvalue()
    assert not failed, text
    assert text.count("    ok  ") > 2 * len(steps)
    assert max(map(len, text.splitlines())) <= 80
    return resources
