"""The self-signed certificate of the emulated KYC platform."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from requests.adapters import DEFAULT_CA_BUNDLE_PATH

from bench.errors import BenchError

COMMAND = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    " -days 3650 -subj /CN=loopback -addext subjectAltName=IP:127.0.0.1"
    " -keyout key.pem -out certificate.pem"
)


class Certificate(NamedTuple):
    """Paths of the certificate, its key, and a bundle of it and the public roots."""

    certificate: Path
    key: Path
    bundle: Path


def make_certificate(folder: Path) -> Certificate:
    """Makes a certificate in `folder`. Raises BenchError."""
    try:
        subprocess.run(COMMAND.split(), cwd=folder, check=True, capture_output=True)  # noqa: S603 - our own command
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchError("openssl cannot make a certificate") from error
    made = Certificate(
        folder / "certificate.pem", folder / "key.pem", folder / "bundle.pem"
    )
    roots = Path(DEFAULT_CA_BUNDLE_PATH).read_text("utf-8")
    made.bundle.write_text(roots + made.certificate.read_text("utf-8"), "utf-8")
    return made
