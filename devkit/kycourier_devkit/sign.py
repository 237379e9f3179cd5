"""Sign a request to the API, so that it can be tried from a shell."""

import shlex
from pathlib import Path
from urllib.parse import urlsplit

from kycourier.adapters.local.secrets import FileSecret
from kycourier.adapters.places import open_secret
from kycourier.core.errors import StoreUnavailable
from kycourier.core.hidden import Secret
from kycourier.core.request_signature import (
    HEADER,
    SignedRequest,
    parse_keys,
    sign_request,
)
from kycourier.ports import SecretSource
from kycourier.settings import read_settings
from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.session import Session

_ROOT = "/v1"
_METHODS = ("GET", "PUT", "POST")
_KEYS = "KYCOURIER_API_KEYS"


def print_signature(
    session: Session,
    method: str,
    url: str,
    *,
    body: bytes,
    key_file: Path | None,
    as_curl: bool,
) -> None:
    """Print the header, or a curl command with it. Raises UsageProblem."""
    signature = build_signature(session, method, url, body=body, key_file=key_file)
    header = f"{HEADER}: {signature}"
    if as_curl:
        header = _build_curl(method.upper(), url, header, body)
    session.screen.line(header)


def build_signature(
    session: Session, method: str, url: str, *, body: bytes, key_file: Path | None
) -> str:
    """Build the header's value. Raises UsageProblem, SettingError."""
    request = _read_request(method, url, body)
    key = _load_key(session, key_file)
    return sign_request(request, key=key, at=session.clock.now())


def read_body(text: str | None, file: Path | None) -> bytes:
    """Give the body's bytes from either option. Raises UsageProblem."""
    if text is not None and file is not None:
        raise UsageProblem("give --body or --body-file, not both")
    if file is None:
        return (text or "").encode("utf-8", "surrogateescape")
    try:
        return file.read_bytes()
    except OSError as error:
        reason = error.strerror
    raise UsageProblem(f"{file} cannot be read: {reason}")


def _read_request(method: str, url: str, body: bytes) -> SignedRequest:
    """Take the parts that are signed; the path counts from `/v1` on."""
    if method.upper() not in _METHODS:
        raise UsageProblem(f"the method must be {' or '.join(_METHODS)}")
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    segments = parts.path.split("/")
    if "v1" not in segments:
        raise UsageProblem(f"the URL's path has no {_ROOT}: https://host{_ROOT}/…")
    path = "/" + "/".join(segments[segments.index("v1") :])
    return SignedRequest(method=method.upper(), path=path, query=parts.query, body=body)


def _load_key(session: Session, key_file: Path | None) -> Secret:
    """Load the first live key. Raises UsageProblem, SettingError."""
    source: SecretSource
    if key_file is None:
        name, source = _KEYS, _open_keys(session)
    else:
        name, source = str(key_file), FileSecret(key_file)
    try:
        keys = parse_keys(source.load())
    except StoreUnavailable as error:
        reason = error.reason
    else:
        if keys is not None:
            return keys[0]
        reason = "must be one or two keys, a line each"
    raise UsageProblem(f"{name}: cannot be used: {reason}")


def _open_keys(session: Session) -> SecretSource:
    environ = session.environ
    alone = {name: environ[name] for name in environ if name == _KEYS}
    place = read_settings(alone, needs={"api_keys"}).api_keys
    if place is None:
        raise UsageProblem(f"{_KEYS}: is not set")
    return open_secret("api_keys", place, session.around)


def _build_curl(method: str, url: str, header: str, body: bytes) -> str:
    words = ["curl", "--request", method, "--header", header]
    if body:
        words += ["--header", "Content-Type: application/json", "--data-raw"]
        words += [body.decode("utf-8", "surrogateescape")]
    return shlex.join([*words, url])
