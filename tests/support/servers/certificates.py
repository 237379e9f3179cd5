"""Throw-away certificates for loopback, made by the `openssl` command."""

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

_CONFIG = """
[ca]
default_ca = test
[test]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
unique_subject = no
policy = anything
[anything]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = loopback
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[good]
subjectAltName = IP:127.0.0.1, DNS:kyc.test
{leaf}
[elsewhere]
subjectAltName = DNS:elsewhere.test
{leaf}
"""
_LEAF = """basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid"""
_NOW = ("20200101000000Z", "20991231000000Z")
_LONG_AGO = ("20200101000000Z", "20200201000000Z")


class Certificates(NamedTuple):
    """A private CA's file, and server contexts with one valid and three bad leaves."""

    authority: str
    good: ssl.SSLContext
    expired: ssl.SSLContext
    elsewhere: ssl.SSLContext
    self_signed: ssl.SSLContext


def make_certificates(folder: Path) -> Certificates:
    """Create a CA and one server certificate of each kind in `folder`."""
    config = folder / "openssl.cnf"
    config.write_text(_CONFIG.format(folder=folder, leaf=_LEAF))
    (folder / "index.txt").touch()
    key = folder / "key.pem"
    _openssl(folder, "ecparam -name prime256v1 -genkey -noout -out key.pem")
    _openssl(folder, "req -new -config openssl.cnf -key key.pem -out request.pem")
    authority = _certify(folder, "authority", "authority", _NOW, signer="-selfsign")
    by_authority = f"-cert {authority.name}"

    def context(certificate: Path) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(certificate, key)
        return made

    return Certificates(
        authority=str(authority),
        good=context(_certify(folder, "good", "good", _NOW, by_authority)),
        expired=context(_certify(folder, "expired", "good", _LONG_AGO, by_authority)),
        elsewhere=context(
            _certify(folder, "elsewhere", "elsewhere", _NOW, by_authority)
        ),
        self_signed=context(
            _certify(folder, "self_signed", "good", _NOW, signer="-selfsign")
        ),
    )


def _certify(
    folder: Path, name: str, section: str, life: tuple[str, str], signer: str
) -> Path:
    begins, ends = life
    _openssl(
        folder,
        f"ca -batch -config openssl.cnf -notext -in request.pem -out {name}.pem"
        f" -keyfile key.pem {signer} -extensions {section} -subj /CN={name}"
        f" -startdate {begins} -enddate {ends}",
    )
    return folder / f"{name}.pem"


def _openssl(folder: Path, command: str) -> None:
    subprocess.run(
        ["openssl", *command.split()],  # noqa: S607 - whichever is installed
        cwd=folder,
        check=True,
        capture_output=True,
    )
