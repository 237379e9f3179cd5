"""The demo commands: the scenario in one environment, and an exit code."""

# ruff: noqa: PLC0415 - each command imports its environment, so that it starts quickly

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from kycourier.adapters.local.files import PRIVATE_FILE, make_folder
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.demo.environments.environment import Environment
from kycourier_devkit.demo.former_run import remove_former_run
from kycourier_devkit.demo.runner import run_steps
from kycourier_devkit.demo.scenario import STEPS
from kycourier_devkit.demo.summary import print_summary
from kycourier_devkit.repository import ROOT
from kycourier_devkit.workspace.folder_lock import lock_folder
from kycourier_devkit.workspace.local_settings import FOLDER

PACKAGES = ROOT / "dist"
_NEXT = (
    ("kycourier serve", "the same functions behind HTTP, a queue and timers"),
    ("kycourier show DEMO0001", "the state of an order"),
    ("kycourier doctor", "the settings, and problems with them"),
    ("README.md", "the API, the event, the settings"),
)


def run_demo(session: CliContext) -> int:
    """Runs the scenario locally; returns 1 if a step failed.

    Raises:
        UsageError: `.kycourier` is in use, or has data of another app.
    """
    from kycourier_devkit.demo.environments.local import LOG, open_local

    screen = session.terminal
    with lock_folder(session.root):
        remove_former_run(session.root)
        screen.line("Starting the KYC platform's emulator and the four functions.")
        with open_local(session) as environment:
            failed = _run_scenario(session, environment)
        print_summary(session)
    if not _conclude(session, failed, log=LOG):
        return 1
    screen.line("What next:")
    for command, what in _NEXT:
        screen.line(f"  {command:<25}{what}")
    return 0


def run_demo_aws(session: CliContext) -> int:
    """Runs the scenario in moto; returns 1 if a step failed."""
    from kycourier_devkit.demo.environments.aws_start import open_aws

    session.terminal.line("Deploying template.yaml to an emulator of AWS (moto).")
    return _run_in_cloud(
        session,
        lambda folder, log: open_aws(session, PACKAGES, folder, log=log),
        log="demo-aws.log",
    )


def run_demo_tencent(session: CliContext) -> int:
    """Runs the scenario on SCF's emulator; returns 1 if a step failed.

    Raises:
        ToolUnavailableError: A tool is not available here.
    """
    from kycourier_devkit.demo.environments.tencent import open_tencent

    session.terminal.line(
        "Starting emulators of Tencent Cloud, Redis and the platform."
    )
    return _run_in_cloud(
        session,
        lambda folder, log: open_tencent(session, PACKAGES, folder, log=log),
        log="demo-tencent.log",
    )


def _run_in_cloud(
    session: CliContext,
    open_environment: Callable[[Path, Path], AbstractContextManager[Environment]],
    *,
    log: str,
) -> int:
    path = session.root / log
    make_folder(session.root)
    with lock_folder(session.root), tempfile.TemporaryDirectory() as folder:
        path.unlink(missing_ok=True)
        path.touch(PRIVATE_FILE)
        with open_environment(Path(folder), path) as environment:
            name = environment.traits.name
            failed = _run_scenario(session, environment)
    if not _conclude(session, failed, log=log):
        return 1
    session.terminal.line(f"What next: README.md, Deploy on {name}.")
    return 0


def _run_scenario(session: CliContext, environment: Environment) -> int:
    excluded = environment.traits.not_included
    return run_steps(session.terminal, environment, STEPS, not_included=excluded)


def _conclude(session: CliContext, failed: int, *, log: str) -> bool:
    """Prints the result; returns whether every step passed."""
    session.terminal.line()
    if failed:
        steps = "1 step" if failed == 1 else f"{failed} steps"
        session.terminal.problem(f"{steps} failed: see NO above.")
        session.terminal.line(f"The functions' log lines are in {FOLDER}/{log}.")
        return False
    session.terminal.line("Every step passed.")
    return True
