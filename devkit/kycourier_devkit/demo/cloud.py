"""A demo of a cloud: the built packages step by step, and a look at each step."""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from kycourier.adapters.local.files import PRIVATE_FILE, make_folder
from kycourier_devkit.demo.script import Step, play_steps
from kycourier_devkit.local import FOLDER
from kycourier_devkit.local_lock import hold
from kycourier_devkit.session import Session
from kycourier_devkit.toolbox import ROOT

PACKAGES = ROOT / "dist"
S = TypeVar("S")
SetStage = Callable[[Path, Path], AbstractContextManager[S]]


def play_on_cloud(
    session: Session, steps: Sequence[Step[S]], set_stage: SetStage[S], *, cloud: str
) -> int:
    """Play every step; give the exit code: 1 when one did not give what it says.

    `set_stage` takes a folder that is free and the functions' log. Raises ToolMissing.
    """
    screen, name = session.screen, f"demo-{cloud.partition(' ')[0].lower()}.log"
    log = session.root / name
    make_folder(session.root)
    with hold(session.root), tempfile.TemporaryDirectory() as folder:
        log.unlink(missing_ok=True)
        log.touch(PRIVATE_FILE)
        with set_stage(Path(folder), log) as stage:
            failed = play_steps(screen, stage, steps)
    screen.line()
    if failed:
        screen.problem(f"{failed} of these did not give what they say.")
        screen.line(f"The functions' log lines are in {FOLDER}/{name}.")
        return 1
    screen.line(f"All of it was as it says. What next: README.md, Deploy on {cloud}.")
    return 0
