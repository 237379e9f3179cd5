"""The local values of the settings: one folder, and the sandbox as the platform.

Only the local commands put them in, and only where nothing is set; never a function
file. An app of one's own never gets the sandbox's secret or address, and the sandbox's
app goes to this machine only.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from kycourier.adapters.local.files import attempt, make_folder, place_file
from kycourier.adapters.system import draw_key
from kycourier.core.errors import StoreUnavailable
from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.sandbox import APP_ID, APP_SECRET

FOLDER = ".kycourier"
SANDBOX_PORT = 8081
SANDBOX_URL = f"http://127.0.0.1:{SANDBOX_PORT}"
SECRET_VARIABLE = "KYCOURIER_SANDBOX_SECRET"  # noqa: S105 - a variable's name
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def local_environ(
    environ: Mapping[str, str], *, root: Path, kyc_url: str = SANDBOX_URL
) -> dict[str, str]:
    """Give the environment with local values where a variable is not set.

    `root` is the folder of all local files; it and the fingerprint key are made when
    they are not there. Raises UsageProblem when they cannot be.
    """
    root = root.absolute()
    values = {name: value for name, value in environ.items() if value}
    if "KYCOURIER_FINGERPRINT_KEY" not in values:
        _draw_key_once(root / "fingerprint.key")
    return {**_sandbox_values(values, kyc_url), **_file_values(root), **values}


def has_own_app(environ: Mapping[str, str]) -> bool:
    """Tell whether another app than the sandbox's is named."""
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
    """Name the host; None for what is no URL, as the settings will say."""
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


def _draw_key_once(path: Path) -> None:
    """Keep a fingerprint key, mode 0600; the one that is there stays."""

    def draw() -> None:
        make_folder(path.parent)
        if not path.exists():
            place_file(path, draw_key().reveal().encode())

    try:
        attempt(draw, failure=StoreUnavailable)
    except StoreUnavailable as error:
        reason = error.reason
    else:
        return
    raise UsageProblem(f"{FOLDER} cannot be written here ({reason})")
