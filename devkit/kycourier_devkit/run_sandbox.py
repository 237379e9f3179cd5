"""The sandbox command: the emulator alone, until Ctrl-C."""

from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.local import SANDBOX_PORT
from kycourier_devkit.sandbox import APP_ID, Sandbox
from kycourier_devkit.session import Session


def run_sandbox(session: Session, *, port: int) -> None:
    """Run it and say where it is. Raises UsageProblem when the port is taken."""
    with start_sandbox(port) as sandbox:
        url, line = sandbox.url, session.screen.line
        line(f"The KYC sandbox is at {url} for app {APP_ID}.")
        line(f"Its report: {url}/control/report. Ctrl-C ends it.")
        sandbox.run_forever()
    raise KeyboardInterrupt  # the one thing that ends it


def start_any_sandbox() -> Sandbox:
    """Start a sandbox where the local commands look for it, or else anywhere."""
    try:
        return Sandbox(SANDBOX_PORT).start()
    except OSError:
        return Sandbox().start()


def start_sandbox(port: int) -> Sandbox:
    """Start a sandbox. Raises UsageProblem when the port is taken."""
    try:
        return Sandbox(port).start()
    except OSError as error:
        reason = error.strerror
    raise UsageProblem(f"port {port} cannot be used: {reason}")
