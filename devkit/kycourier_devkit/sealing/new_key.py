"""Makes a key pair: the private key in a file, the public key to be set."""

import json
import os
from enum import Enum
from pathlib import Path

from joserfc.jwk import ECKey, OKPKey, RSAKey

from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import UsageError

_RSA_BITS = 3072
_PRIVATE = 0o600


class KeyKind(str, Enum):
    """The kinds of keys that results can be sealed to."""

    P256 = "p256"
    X25519 = "x25519"
    RSA = "rsa"


def make_key_pair(
    context: CliContext, kind: KeyKind, into: Path, *, as_json: bool
) -> int:
    """Writes the private key to a new file and prints the public key.

    Args:
        context: Where lines go.
        kind: The pair's kind.
        into: The private key's file.
        as_json: Print no guidance beside the public key.

    Raises:
        UsageError: The file exists or cannot be written.
    """
    key, algorithm = _generate(kind)
    members = {"kid": key.thumbprint(), "use": "enc", "alg": algorithm}
    _write_private(into, {**key.as_dict(private=True), **members})
    public = {**key.as_dict(private=False), **members}
    context.terminal.line(json.dumps(public))
    if as_json:
        return 0
    for text in (
        f"The private key is in {into}. Keep it only where events are read.",
        "Store the public key above, and set KYCOURIER_RECIPIENT_KEY to where it is:",
        "file:///path, aws-ssm:///path, aws-secretsmanager://name or tencent-ssm://name",
    ):
        context.terminal.note(text)
    return 0


def _generate(kind: KeyKind) -> tuple[ECKey | OKPKey | RSAKey, str]:
    if kind is KeyKind.RSA:
        return RSAKey.generate_key(_RSA_BITS, auto_kid=False), "RSA-OAEP-256"
    if kind is KeyKind.X25519:
        return OKPKey.generate_key("X25519", auto_kid=False), "ECDH-ES+A256KW"
    return ECKey.generate_key("P-256", auto_kid=False), "ECDH-ES+A256KW"


def _write_private(into: Path, jwk: dict[str, object]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        handle = os.open(into, flags, _PRIVATE)
    except FileExistsError:
        problem = "exists already, and a key is never replaced: choose another --out"
    except OSError as error:
        problem = f"cannot be written: {error.strerror}"
    else:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(jwk) + "\n")
        return
    raise UsageError(f"{into} {problem}")
