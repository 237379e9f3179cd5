"""A demo that is played to its end, and what was printed of it."""

import io
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import pytest

from kycourier.adapters.system import SystemClock
from kycourier_devkit.demo.script import Step, play_steps
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.screen import Screen
from kycourier_devkit.session import Session

S = TypeVar("S")


def play_through(
    steps: Sequence[Step[S]],
    set_stage: Callable[[Session], AbstractContextManager[S]],
    folder: Path,
) -> S:
    """See that each step gives what it says, in 80 columns; give the stage it was on.

    Where a tool cannot be had, skip in plain words.
    """
    printed = io.StringIO()
    session = Session({}, folder, Screen(printed, printed), SystemClock())
    try:
        with set_stage(session) as stage:
            failed = play_steps(session.screen, stage, steps)
    except ToolMissing as missing:
        pytest.skip(str(missing))
    text = printed.getvalue()
    assert not failed, text
    assert text.count("    ok  ") > 2 * len(steps)
    assert max(map(len, text.splitlines())) <= 80
    return stage
