"""Sends events to an HTTP receiver that a person names, signed as webhooks."""

import base64
from collections.abc import Sequence
from urllib.parse import urlsplit

from kycourier import __version__
from kycourier.adapters.http.post_client import PostClient
from kycourier.adapters.registry import read_secret as read_secret_reference
from kycourier.adapters.system import draw_key
from kycourier.core.errors import SettingError, SinkUnavailableError, TransportError
from kycourier.core.events.webhook_signature import (
    PREFIX,
    WebhookKey,
    parse_secrets,
    sign,
)
from kycourier.core.orders.record import OutboxEvent
from kycourier.core.redaction import Secret
from kycourier.ports import Clock, EventSink
from kycourier.settings.parsers import InvalidSettingError, secret_reference
from kycourier.settings.resource_url import ResourceUrl
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import UsageError

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_VARIABLE = "KYCOURIER_WEBHOOK_SECRET"
_SECONDS = 10.0
_MAX_BODY_BYTES = 64 * 1024


class ReceiverSink:
    """A receiver of webhooks (Standard Webhooks), at a URL."""

    def __init__(
        self, url: str, *, keys: Sequence[WebhookKey], clock: Clock, ca_file: str | None
    ) -> None:
        parts = urlsplit(url)
        self._path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        self._host, self._keys, self._clock = parts.netloc, keys, clock
        self._client = PostClient(
            url, max_body_bytes=_MAX_BODY_BYTES, extra_ca_file=ca_file
        )

    def publish(self, events: Sequence[OutboxEvent]) -> None:
        """Sends each event in order. Raises SinkUnavailableError with its word."""
        for event in events:
            self._send(event)

    def _send(self, event: OutboxEvent) -> None:
        body, timestamp = event.body.encode(), int(self._clock.now().timestamp())
        headers = {
            "Host": self._host,
            "User-Agent": f"kycourier/{__version__}",
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "Accept-Encoding": "identity",
            "webhook-id": event.id,
            "webhook-timestamp": str(timestamp),
        }
        if self._keys:
            headers["webhook-signature"] = sign(event.id, timestamp, body, self._keys)
        try:
            response = self._client.post(self._path, headers, body, seconds=_SECONDS)
        except TransportError as error:
            word = error.reason
        else:
            if 200 <= response.status < 300:  # noqa: PLR2004 - HTTP's own numbers
                return
            word = f"http_{response.status}"
        raise SinkUnavailableError(word=word)


def open_receiver(
    context: CliContext, url: str, *, keys: Sequence[WebhookKey]
) -> EventSink:
    """Opens the receiver at a URL that was checked. Raises SettingError."""
    ca_file = context.environ.get("SSL_CERT_FILE") or None
    return ReceiverSink(url, keys=keys, clock=context.clock, ca_file=ca_file)


def check_url(url: str, option: str) -> str:
    """Returns a URL that events may be sent to. Raises UsageError for another text."""
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port  # ValueError if it is no port
    except ValueError:
        is_url = False
    if not (is_url and url.isascii() and url.isprintable()) or " " in url:
        raise UsageError(f"{option}: must be http://… or https://…")
    if parts.username is not None or parts.fragment:
        raise UsageError(f"{option}: must have no user name and no fragment")
    return url


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


def read_webhook_keys(context: CliContext) -> tuple[WebhookKey, ...]:
    """Returns the keys of KYCOURIER_WEBHOOK_SECRET, none if it is not set.

    Raises:
        SettingError: It cannot be used.
    """
    url = _read_reference(context.settings_environ().get(_VARIABLE, ""))
    if url is None:
        return ()
    _, secret = read_secret_reference("webhook_secret", url, context.adapter_context)
    keys = parse_secrets(secret)
    if keys is None:
        raise SettingError(_VARIABLE, "must be one or two whsec_ secrets, a line each")
    return keys


def _read_reference(text: str) -> ResourceUrl | None:
    if not text:
        return None
    try:
        return secret_reference(text)
    except InvalidSettingError as error:
        reason = str(error)
    raise SettingError(_VARIABLE, reason)
