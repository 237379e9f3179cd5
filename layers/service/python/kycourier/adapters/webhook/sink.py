"""Sends events by the Standard Webhooks specification (standardwebhooks.com)."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from kycourier import __version__
from kycourier.adapters.webhook.client import ReceiverClient, Reply
from kycourier.core.errors import (
    SinkUnavailableError,
    StoreUnavailableError,
    TransportError,
)
from kycourier.core.events.webhook_signature import WebhookKey, parse_secrets, sign
from kycourier.core.orders.record import OutboxEvent
from kycourier.core.redaction import scrub_traceback
from kycourier.core.retry import parse_retry_after
from kycourier.core.timing import (
    WEBHOOK_RETRY_AFTER_MAX,
    WEBHOOK_SECONDS,
    WEBHOOK_SECRET_CACHE_SECONDS,
)
from kycourier.ports import Clock, SecretSource

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_GONE = 410
_WAITING = {429, 503}


class WebhookSink:
    """A receiver at a URL; its secret is read anew after a minute."""

    def __init__(
        self,
        url: str,
        *,
        secret: SecretSource | None,
        clock: Clock,
        extra_ca_file: str | None,
    ) -> None:
        """Reads the secret once; without one, nothing is signed.

        Raises:
            SettingError: `extra_ca_file` has no readable certificates.
            StoreUnavailableError: the secret cannot be read, or has another form.
        """
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        self._target = (parts.path or "/") + query
        self._host, self._secret, self._clock = parts.netloc, secret, clock
        self._client = ReceiverClient(url, extra_ca_file=extra_ca_file)
        self._read_at = clock.monotonic()
        self._keys = self._read_keys()

    @scrub_traceback
    def publish(self, events: Sequence[OutboxEvent]) -> None:
        """Sends each event, in order. Raises SinkUnavailableError."""
        self.publish_within(events, seconds=WEBHOOK_SECONDS)

    @scrub_traceback
    def publish_within(self, events: Sequence[OutboxEvent], *, seconds: float) -> None:
        """Sends each event, in order, each within `seconds`.

        Raises:
            SinkUnavailableError: the receiver did not take one of them.
        """
        for event in events:
            self._send(event, seconds)

    def _send(self, event: OutboxEvent, seconds: float) -> None:
        body, timestamp = event.body.encode(), int(self._clock.now().timestamp())
        headers = {
            "Host": self._host,
            "User-Agent": f"kycourier/{__version__}",
            "Content-Type": CONTENT_TYPE,
            "Accept-Encoding": "identity",
            "webhook-id": event.id,
            "webhook-timestamp": str(timestamp),
        }
        if keys := self._live_keys():
            headers["webhook-signature"] = sign(event.id, timestamp, body, keys)
        if event.traceparent:
            headers["traceparent"] = event.traceparent
        word = None
        try:
            reply = self._client.post(self._target, headers, body, seconds=seconds)
        except TransportError as error:
            word = error.reason
        if word is not None:
            raise SinkUnavailableError(word=word)
        if not 200 <= reply.status < 300:  # noqa: PLR2004 - HTTP's own numbers
            raise SinkUnavailableError(
                word=f"http_{reply.status}",
                retry_after=_retry_after(reply, now=self._clock.now()),
                is_gone=reply.status == _GONE,
            )

    def _live_keys(self) -> tuple[WebhookKey, ...]:
        """Returns the keys; those of before while their source has none."""
        age = self._clock.monotonic() - self._read_at
        if age >= WEBHOOK_SECRET_CACHE_SECONDS:
            try:
                self._keys = self._read_keys()
            except StoreUnavailableError:
                self._read_at = self._clock.monotonic()
        return self._keys

    def _read_keys(self) -> tuple[WebhookKey, ...]:
        keys = parse_secrets(self._secret.get()) if self._secret else ()
        if keys is None:
            raise StoreUnavailableError(
                "must be one or two whsec_ secrets, a line each"
            )
        self._read_at = self._clock.monotonic()
        return keys


def _retry_after(reply: Reply, *, now: datetime) -> timedelta | None:
    """Returns the pause that a 429 or 503 asks for: seconds, or until a date."""
    if reply.status not in _WAITING:
        return None
    text = reply.headers.get("Retry-After", "").strip(" \t")  # http.client keeps some
    with suppress(ValueError, TypeError, OverflowError):  # it is no date
        pause = parsedate_to_datetime(text) - now
        return min(pause, WEBHOOK_RETRY_AFTER_MAX) if pause > timedelta(0) else None
    return parse_retry_after(text, cap=WEBHOOK_RETRY_AFTER_MAX)
