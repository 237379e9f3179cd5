"""Completes the environment by local values: files in one folder, and the sandbox.

Commands on this machine use them for settings that are not set; functions never do.
The sandbox's secret and URL are never combined with another app, nor the sandbox's app
with a host that is not this machine.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from kycourier.adapters.local.files import make_folder, os_errors_as, write_file_once
from kycourier.adapters.system import draw_key
from kycourier.core.errors import StoreUnavailableError
from kycourier_devkit.errors import UsageError
from kycourier_devkit.sandbox import APP_ID, APP_SECRET

FOLDER = ".kycourier"
EVENTS_FILE = f"{FOLDER}/events.jsonl"
SANDBOX_PORT = 8081
SANDBOX_URL = f"http://127.0.0.1:{SANDBOX_PORT}"
SECRET_VARIABLE = "KYCOURIER_SANDBOX_SECRET"  # noqa: S105 - a variable's name
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def local_environ(
    environ: Mapping[str, str], *, root: Path, kyc_url: str = SANDBOX_URL
) -> dict[str, str]:
    """Returns the environment, with a local value for each setting that is not set.

    Args:
        environ: The environment; empty variables count as not set.
        root: The folder of all local files; it is created, with a fingerprint key.
        kyc_url: The sandbox's URL.

    Raises:
        UsageError: The folder cannot be written.
    """
    root = root.absolute()
    values = {name: value for name, value in environ.items() if value}
    if "KYCOURIER_FINGERPRINT_KEY" not in values:
        _create_fingerprint_key(root / "fingerprint.key")
    return {**_sandbox_values(values, kyc_url), **_file_values(root), **values}


def has_own_app(environ: Mapping[str, str]) -> bool:
    """Returns whether the environment names another app than the sandbox's."""
    return environ.get("KYCOURIER_APP_ID", "") not in {"", APP_ID}


def _sandbox_values(values: Mapping[str, str], kyc_url: str) -> dict[str, str]:
    if has_own_app(values):
        return {}
    url = values.get("KYCOURIER_KYC_URL", kyc_url)
    if _host_of(url) not in _LOOPBACK:
        return {}
    return {
        "KYCOURIER_APP_ID": APP_ID,
        "KYCOURIER_APP_SECRET": f"env:{SECRET_VARIABLE}",
        SECRET_VARIABLE: APP_SECRET,
        "KYCOURIER_KYC_URL": url,
    }


def _host_of(url: str) -> str | None:
    """Returns the host; None for an invalid URL, which the settings will reject."""
    with suppress(ValueError):
        return urlsplit(url).hostname
    return None


def _file_values(root: Path) -> dict[str, str]:
    return {
        "KYCOURIER_STATE": f"sqlite:///{root}/state.db",
        "KYCOURIER_EVIDENCE": f"file://{root}/evidence",
        "KYCOURIER_EVENTS": f"file://{root}/events.jsonl",
        "KYCOURIER_QUEUE": f"sqlite:///{root}/queue.db",
        "KYCOURIER_FINGERPRINT_KEY": f"file://{root}/fingerprint.key",
        "KYCOURIER_API_AUTH": "none",
    }


def _create_fingerprint_key(path: Path) -> None:
    """Creates a private file with a random key, unless it exists."""

    def create() -> None:
        make_folder(path.parent)
        if not path.exists():
            write_file_once(path, draw_key().expose().encode())

    try:
        os_errors_as(create, failure=StoreUnavailableError)
    except StoreUnavailableError as error:
        reason = error.reason
    else:
        return
    raise UsageError(f"{FOLDER} cannot be written here ({reason})")
