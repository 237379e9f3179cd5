"""The demo: the real function files, step by step, and an honest look at each step."""

from kycourier_devkit.demo.files import remove_earlier
from kycourier_devkit.demo.script import play_steps
from kycourier_devkit.demo.stage import set_stage
from kycourier_devkit.demo.steps import STEPS
from kycourier_devkit.demo.summary import summarize
from kycourier_devkit.local import FOLDER
from kycourier_devkit.local_lock import hold
from kycourier_devkit.session import Session

_NEXT = (
    ("kycourier serve", "the same functions behind HTTP, a queue and timers"),
    ("kycourier show DEMO0001", "an order as it stands"),
    ("kycourier doctor", "what is set, and what is wrong with it"),
    ("README.md", "the API, the event, the settings"),
)


def run_demo(session: Session) -> int:
    """Play every step; give the exit code: 1 when one did not give what it says."""
    screen = session.screen
    with hold(session.root):
        remove_earlier(session.root)
        screen.line("Starting an emulator of the KYC platform and the four functions.")
        with set_stage(session) as stage:
            failed = play_steps(screen, stage, STEPS)
        failed += summarize(session)
    screen.line()
    if failed:
        screen.problem(f"{failed} of these did not give what they say.")
        screen.line(f"The functions' log lines are in {FOLDER}/functions.log.")
        return 1
    screen.line("All of it was as it says. What next:")
    for command, what in _NEXT:
        screen.line(f"  {command:<25}{what}")
    return 0
