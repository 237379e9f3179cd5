"""A certificate of our own for loopback, and what trusts it."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from requests.adapters import DEFAULT_CA_BUNDLE_PATH

from bench.processes import BenchFailed

COMMAND = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    " -days 3650 -subj /CN=loopback -addext subjectAltName=IP:127.0.0.1"
    " -keyout key.pem -out certificate.pem"
)


class Authority(NamedTuple):
    """Files: the certificate, its key, and a bundle of the public roots and it."""

    certificate: Path
    key: Path
    bundle: Path


def make_authority(folder: Path) -> Authority:
    """Make a certificate in `folder`. Raises BenchFailed."""
    try:
        subprocess.run(COMMAND.split(), cwd=folder, check=True, capture_output=True)  # noqa: S603 - our own list
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchFailed("openssl cannot make a certificate") from error
    made = Authority(
        folder / "certificate.pem", folder / "key.pem", folder / "bundle.pem"
    )
    roots = Path(DEFAULT_CA_BUNDLE_PATH).read_text("utf-8")
    made.bundle.write_text(roots + made.certificate.read_text("utf-8"), "utf-8")
    return made
