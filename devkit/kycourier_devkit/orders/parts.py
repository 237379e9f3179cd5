"""The service's parts in this process, as the settings and local values wire them."""

from collections.abc import Set as AbstractSet
from contextlib import redirect_stdout

from kycourier.assembly import Assembly
from kycourier_devkit.local import SANDBOX_URL
from kycourier_devkit.session import Session

STATE_NEEDS = frozenset({"app_id", "state"})
REFRESH_NEEDS = STATE_NEEDS | {"app_secret"}
COLLECT_NEEDS = REFRESH_NEEDS | {"evidence", "events", "fingerprint_key"}


SANDBOX_HINT = "is `kycourier sandbox` or `serve` running?"


class _Nowhere:
    """Where the journal's lines go: a command says what matters itself."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


def open_parts(session: Session, needs: AbstractSet[str]) -> Assembly:
    """Wire what a command uses. Raises SettingError, UsageProblem."""
    with redirect_stdout(_Nowhere()):  # the journal keeps the stream it is made with
        return Assembly("command", session.settings_environ(), needs)


def calls_sandbox(parts: Assembly) -> bool:
    """Tell whether the sandbox stands in the platform's place."""
    return parts.settings.kyc_url == SANDBOX_URL
