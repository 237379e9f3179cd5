"""Starts and resets the sandbox for a command; `sandbox` runs it alone."""

from contextlib import closing
from http.client import HTTPConnection, HTTPException

from kycourier.adapters import registry
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.local.factory import sqlite_path
from kycourier.adapters.local.schema import open_stores
from kycourier.settings.reader import Settings, read_settings
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import UsageError
from kycourier_devkit.sandbox import APP_ID, Sandbox
from kycourier_devkit.workspace.local_settings import SANDBOX_PORT

_RESET_SECONDS = 5.0


def run_sandbox(context: CliContext, *, port: int) -> None:
    """Runs the sandbox until Ctrl-C. Raises UsageError if the port is taken."""
    with start_sandbox(port) as sandbox:
        url, line = sandbox.url, context.terminal.line
        line(f"The KYC sandbox is at {url} for app {APP_ID}.")
        line(f"What can be controlled: {url}/control. Press Ctrl-C to stop.")
        sandbox.run_forever()
    raise KeyboardInterrupt  # nothing else stops it


def reset_sandbox(context: CliContext, *, port: int) -> int:
    """Returns the sandbox to its initial state, and the app's breaker with it.

    Returns:
        The exit code: 1 if no sandbox listens on the port.

    Raises:
        SettingError: The state cannot be opened.
    """
    settings = read_settings(context.settings_environ(), needs={"state"})
    connection = HTTPConnection("127.0.0.1", port, timeout=_RESET_SECONDS)
    try:
        with closing(connection):
            connection.request("POST", "/control/reset")
            connection.getresponse().read()
    except (OSError, HTTPException):
        context.terminal.problem(f"No sandbox listens on 127.0.0.1:{port}.")
        return 1
    forget_sandbox(settings, context.adapter_context)
    context.terminal.line("The sandbox is as at its start; its app runs.")
    return 0


def forget_sandbox(settings: Settings, context: AdapterContext) -> None:
    """Deletes a sandbox's pair, which a new one would refuse, and closes its breaker.

    Raises:
        SettingError: The state cannot be opened.
    """
    registry.open_stores(settings.state, context).breakers.close(APP_ID)
    if settings.state.scheme == "sqlite":
        state = open_stores(sqlite_path(settings.state))
        delete = "DELETE FROM tickets WHERE app_id = ?"
        state.write(lambda rows: rows.execute(delete, (APP_ID,)))


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
