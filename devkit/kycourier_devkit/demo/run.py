"""The demo: the real function files, step by step, and an honest look at each step."""

from kycourier_devkit.demo.files import remove_earlier
from kycourier_devkit.demo.stage import Stage, set_stage
from kycourier_devkit.demo.steps import STEPS, Seen, Step
from kycourier_devkit.demo.summary import summarize
from kycourier_devkit.errors import DevkitError
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
            failed = sum(
                not _play(session, stage, number, step)
                for number, step in enumerate(STEPS, 1)
            )
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


def _play(session: Session, stage: Stage, number: int, step: Step) -> bool:
    """Play one step and show what is seen; tell whether all of it was so."""
    session.screen.line(f"{number:>2}  {step.title}", style="bold")
    good = True
    for seen in _watch(step, stage):
        session.screen.item("ok" if seen.holds else "NO", seen.text, indent=4)
        good = good and seen.holds
    return good


def _watch(step: Step, stage: Stage) -> list[Seen]:
    seen: list[Seen] = []
    try:
        seen.extend(step.play(stage))
    except DevkitError as error:
        seen.append(Seen(str(error), holds=False))
    except (LookupError, TypeError, ValueError) as error:
        name = type(error).__name__
        seen.append(Seen(f"the answer is not what was expected ({name})", holds=False))
    return seen
