"""Starts the sandbox for a command; the `sandbox` command runs it alone."""

from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import UsageError
from kycourier_devkit.sandbox import APP_ID, Sandbox
from kycourier_devkit.workspace.local_settings import SANDBOX_PORT


def run_sandbox(context: CliContext, *, port: int) -> None:
    """Runs the sandbox until Ctrl-C. Raises UsageError if the port is taken."""
    with start_sandbox(port) as sandbox:
        url, line = sandbox.url, context.terminal.line
        line(f"The KYC sandbox is at {url} for app {APP_ID}.")
        line(f"Report: {url}/control/report. Press Ctrl-C to stop.")
        sandbox.run_forever()
    raise KeyboardInterrupt  # nothing else stops it


def start_sandbox(port: int) -> Sandbox:
    """Starts a sandbox. Raises UsageError if the port is taken."""
    try:
        return Sandbox(port).start()
    except OSError as error:
        reason = error.strerror
    raise UsageError(f"port {port} cannot be used ({reason}): choose with --port")


def start_sandbox_on_any_port() -> Sandbox:
    """Starts a sandbox on its default port, or on any free one if that is taken."""
    try:
        return Sandbox(SANDBOX_PORT).start()
    except OSError:
        return Sandbox().start()
