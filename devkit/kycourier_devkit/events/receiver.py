"""Sends events to an HTTP receiver that a person names, signed as webhooks."""

import base64
from urllib.parse import urlsplit

from kycourier.adapters.registry import open_secret
from kycourier.adapters.system import draw_key
from kycourier.adapters.webhook.sink import WebhookSink
from kycourier.core.errors import SettingError, StoreUnavailableError
from kycourier.core.events.webhook_signature import PREFIX, parse_secrets
from kycourier.core.redaction import Secret
from kycourier.ports import EventSink, SecretSource
from kycourier.settings.parsers import (
    InvalidSettingError,
    receiver_url,
    secret_reference,
)
from kycourier.settings.resource_url import ResourceUrl
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import UsageError

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_VARIABLE = "KYCOURIER_WEBHOOK_SECRET"


class GivenSecret:
    """A secret that was given to a command."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def get(self) -> Secret:
        """Returns it."""
        return self._secret


def open_receiver(
    context: CliContext, url: str, *, secret: SecretSource | None
) -> EventSink:
    """Opens the receiver at a URL that was checked.

    Raises:
        SettingError: The secret, or the certificates of SSL_CERT_FILE, cannot be used.
    """
    ca_file = context.environ.get("SSL_CERT_FILE") or None
    try:
        return WebhookSink(
            url, secret=secret, clock=context.clock, extra_ca_file=ca_file
        )
    except StoreUnavailableError as error:
        reason = error.reason
    raise SettingError(_VARIABLE, reason)


def check_url(url: str, option: str) -> str:
    """Returns a URL that events may be sent to. Raises UsageError for another text."""
    try:
        return receiver_url(url)
    except InvalidSettingError as error:
        reason = str(error)
    raise UsageError(f"{option}: {reason}")


def is_loopback(url: str) -> bool:
    """Returns whether a URL's host is this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def read_secret(text: str | None) -> Secret:
    """Returns the secret of `--secret`, or a new one. Raises UsageError."""
    if text is None:
        key = bytes.fromhex(draw_key().expose())
        return Secret(PREFIX + base64.b64encode(key).decode())
    secret = Secret(text)
    if parse_secrets(secret) is None:
        raise UsageError("--secret: must be whsec_ and the Base64 of 24 to 64 bytes")
    return secret


def open_webhook_secret(context: CliContext) -> SecretSource | None:
    """Opens KYCOURIER_WEBHOOK_SECRET, None if it is not set. Raises SettingError."""
    text = context.settings_environ().get(_VARIABLE)
    if not text:
        return None
    url: ResourceUrl | None = None
    reason = "is no secret reference"
    try:
        url = secret_reference(text)
    except InvalidSettingError as error:
        reason = str(error)
    if url is None:
        raise SettingError(_VARIABLE, reason)
    return open_secret("webhook_secret", url, context.adapter_context)
