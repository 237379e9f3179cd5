"""Builds the service's container for a command, from its settings."""

from collections.abc import Set as AbstractSet
from contextlib import redirect_stdout

from kycourier.container import Container
from kycourier_devkit.cli.context import CliContext

STATE_SETTINGS = frozenset({"app_id", "state"})
REFRESH_SETTINGS = STATE_SETTINGS | {"app_secret"}
COLLECT_SETTINGS = REFRESH_SETTINGS | {"evidence", "events", "fingerprint_key"}


class _NullStream:
    """Discards the log lines: a command prints its results itself."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


def open_container(context: CliContext, required: AbstractSet[str]) -> Container:
    """Builds the container; `required` names the settings that must be set.

    Raises:
        SettingError: A setting is missing, wrong, or names an unusable resource.
        UsageError: The local folder cannot be written.
    """
    with redirect_stdout(_NullStream()):  # the log keeps the stream it is made with
        return Container("command", context.settings_environ(), required)
