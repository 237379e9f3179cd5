"""The demo on Tencent Cloud: the built packages in SCF's layout, on loopback."""

from contextlib import AbstractContextManager
from pathlib import Path

from kycourier_devkit.demo.cloud import PACKAGES, play_on_cloud
from kycourier_devkit.demo_tencent.stage import CloudStage, set_stage
from kycourier_devkit.demo_tencent.steps import STEPS
from kycourier_devkit.session import Session


def run_demo_tencent(session: Session) -> int:
    """Play every step; give the exit code: 1 when one did not give what it says.

    Raises ToolMissing.
    """

    def begin(folder: Path, log: Path) -> AbstractContextManager[CloudStage]:
        return set_stage(session, PACKAGES, folder, log=log)

    session.screen.line("Starting a Tencent Cloud on loopback, Redis and the emulator.")
    return play_on_cloud(session, STEPS, begin, cloud="Tencent Cloud")
