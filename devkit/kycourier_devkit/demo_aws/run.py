"""The demo on AWS: the built packages in an AWS on loopback."""

from contextlib import AbstractContextManager
from pathlib import Path

from kycourier_devkit.demo.cloud import PACKAGES, play_on_cloud
from kycourier_devkit.demo_aws.stage import CloudStage, set_stage
from kycourier_devkit.demo_aws.steps import STEPS
from kycourier_devkit.session import Session


def run_demo_aws(session: Session) -> int:
    """Play every step; give the exit code: 1 when one did not give what it says.

    Raises ToolMissing.
    """

    def begin(folder: Path, log: Path) -> AbstractContextManager[CloudStage]:
        return set_stage(session, PACKAGES, folder, log=log)

    session.screen.line(
        "Making the stack of template.yaml in an AWS on loopback (moto)."
    )
    return play_on_cloud(session, STEPS, begin, cloud="AWS")
