"""Signs requests to the orders API, for use in a shell."""

import shlex
from pathlib import Path
from urllib.parse import urlsplit

from kycourier.adapters.local.secrets import FileSecret
from kycourier.adapters.registry import UnwrappedSecret, open_secret
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import (
    HEADER,
    SignedRequest,
    parse_keys,
    sign_request,
)
from kycourier.ports import SecretSource
from kycourier.settings.reader import read_settings
from kycourier.triggers.http.event import path_from_root
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import UsageError

_ROOT = "/v1"
_METHODS = ("GET", "HEAD", "PUT", "POST")
_KEYS = "KYCOURIER_API_KEYS"


def print_signature(
    context: CliContext,
    method: str,
    url: str,
    *,
    body: bytes,
    key_file: Path | None,
    as_curl: bool,
) -> None:
    """Prints the signature header, or a curl command that contains it.

    Raises:
        UsageError: An argument or the key cannot be used.
        SettingError: KYCOURIER_API_KEYS cannot be used.
    """
    signature = build_signature(context, method, url, body=body, key_file=key_file)
    header = f"{HEADER}: {signature}"
    curl = _build_curl(method.upper(), url, header, body) if as_curl else None
    context.terminal.line(curl or header)


def build_signature(
    context: CliContext, method: str, url: str, *, body: bytes, key_file: Path | None
) -> str:
    """Returns the signature header's value.

    Args:
        context: The CLI context, for the settings and the clock.
        method: The HTTP method, in any case.
        url: The URL to be called; what precedes `/v1` is not signed.
        body: The request's body.
        key_file: A file with the key; None for KYCOURIER_API_KEYS.

    Raises:
        UsageError: An argument or the key cannot be used.
        SettingError: KYCOURIER_API_KEYS cannot be used.
    """
    request = _read_request(method, url, body)
    key = _load_key(context, key_file)
    return sign_request(request, key=key, at=context.clock.now())


def read_body(text: str | None, file: Path | None) -> bytes:
    """Returns the body's bytes from either option. Raises UsageError for both."""
    if text is not None and file is not None:
        raise UsageError("use --body or --body-file, not both")
    if file is None:
        return (text or "").encode("utf-8", "surrogateescape")
    try:
        return file.read_bytes()
    except OSError as error:
        reason = error.strerror
    raise UsageError(f"--body-file: {file} cannot be read: {reason}")


def _read_request(method: str, url: str, body: bytes) -> SignedRequest:
    """Returns the signed parts of the request; the path begins at `/v1`."""
    if method.upper() not in _METHODS:
        raise UsageError(
            f"METHOD: must be {', '.join(_METHODS[:-1])} or {_METHODS[-1]}"
        )
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    path = path_from_root(parts.path)
    if not path.startswith(f"{_ROOT}/"):
        raise UsageError(f"URL: its path must contain {_ROOT}: https://host{_ROOT}/…")
    return SignedRequest(method=method.upper(), path=path, query=parts.query, body=body)


def _load_key(context: CliContext, key_file: Path | None) -> Secret:
    """Returns the first key."""
    source: SecretSource
    if key_file is None:
        name, source = _KEYS, _open_keys(context)
    else:
        name, source = (
            f"--key-file: {key_file}",
            UnwrappedSecret(FileSecret(key_file), None),
        )
    try:
        keys = parse_keys(source.get())
    except StoreUnavailableError as error:
        reason = error.reason
    else:
        if keys is not None:
            return keys[0]
        reason = "must be one or two keys, a line each"
    raise UsageError(f"{name} cannot be used: {reason}")


def _open_keys(context: CliContext) -> SecretSource:
    environ = context.environ
    only_keys = {_KEYS: environ[_KEYS]} if _KEYS in environ else {}
    place = read_settings(only_keys, needs={"api_keys"}).api_keys
    if place is None:
        raise UsageError(f"{_KEYS}: is not set")
    return open_secret("api_keys", place, context.adapter_context)


def _build_curl(method: str, url: str, header: str, body: bytes) -> str:
    command = ["curl", "--request", method, "--header", header]
    if body:
        command += ["--header", "Content-Type: application/json", "--data-raw"]
        command += [body.decode("utf-8", "surrogateescape")]
    return shlex.join([*command, url])
