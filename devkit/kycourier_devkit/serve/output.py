"""Prints what serve does: its addresses at start, then requests and orders."""

from threading import Event

from kycourier.ports import Clock
from kycourier.settings.reader import Settings
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.workspace.local_settings import FOLDER

_MAX_PATH = 56


def print_addresses(terminal: Terminal, url: str, settings: Settings) -> None:
    """Prints the URL of the API, and commands to try."""
    order = f"{url}/v1/orders/ORDER1"
    terminal.line(f"The orders API is at {url}/v1 for app {settings.app_id}.")
    terminal.line(f"Events and photos are in {FOLDER} unless set otherwise.")
    terminal.line(f"The functions' log is {FOLDER}/functions.log.")
    if settings.api_auth == "signature":
        terminal.line("Requests must be signed. These commands print a curl command:")
        terminal.line(f"  kycourier sign --curl PUT {order}")
        terminal.line(f"  kycourier sign --curl POST {order}/collection")
    else:
        terminal.line("Try:")
        terminal.line(f"  curl -X PUT {order}")
        terminal.line(f"  curl -X POST {order}/collection")
        terminal.line(f"  curl -L -o card.jpg {order}/photos/original")
    terminal.line("Press Ctrl-C to stop.")


class ActivityLog:
    """Prints one line at a time until `stop` is set; thread-safe."""

    def __init__(self, terminal: Terminal, clock: Clock, stop: Event) -> None:
        self._terminal, self._clock, self._stop = terminal, clock, stop

    def log(self, source: str, text: str) -> None:
        """Prints a line; sets `stop` if standard output is closed."""
        if not self._stop.is_set():
            now = self._clock.now()
            try:
                self._terminal.line(f"{now:%H:%M:%S}  {source:<16} {text}")
            except SystemExit:  # Rich raises it when the pipe is closed
                self._stop.set()

    def log_request(self, method: str, path: str, status: int, seconds: float) -> None:
        """Prints a request's line."""
        if len(path) > _MAX_PATH:
            path = f"{path[: _MAX_PATH - 1]}…"
        self.log("orders_api", f"{method} {path} {status} {seconds * 1000:.0f} ms")
