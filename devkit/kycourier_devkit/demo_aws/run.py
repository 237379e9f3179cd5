"""The demo on AWS: the built packages step by step, and an honest look at each step."""

import tempfile
from pathlib import Path

from kycourier.adapters.local.files import PRIVATE_FILE, make_folder
from kycourier_devkit.demo.script import play_steps
from kycourier_devkit.demo_aws.stage import set_stage
from kycourier_devkit.demo_aws.steps import STEPS
from kycourier_devkit.local import FOLDER
from kycourier_devkit.local_lock import hold
from kycourier_devkit.session import Session
from kycourier_devkit.toolbox import ROOT

PACKAGES = ROOT / "dist"
LOG = "demo-aws.log"


def run_demo_aws(session: Session) -> int:
    """Play every step; give the exit code: 1 when one did not give what it says.

    Raises ToolMissing.
    """
    screen, log = session.screen, session.root / LOG
    make_folder(session.root)
    with hold(session.root), tempfile.TemporaryDirectory() as folder:
        log.unlink(missing_ok=True)
        log.touch(PRIVATE_FILE)
        screen.line("Making the stack of template.yaml in an AWS on loopback (moto).")
        with set_stage(session, PACKAGES, Path(folder), log=log) as stage:
            failed = play_steps(screen, stage, STEPS)
    screen.line()
    if failed:
        screen.problem(f"{failed} of these did not give what they say.")
        screen.line(f"The functions' log lines are in {FOLDER}/{LOG}.")
        return 1
    screen.line("All of it was as it says. What next: README.md, Deploy on AWS.")
    return 0
