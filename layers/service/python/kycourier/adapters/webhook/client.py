"""Sends one POST to the receiver of webhooks, and reads no more than it must."""

from collections.abc import Mapping
from contextlib import suppress
from email.message import Message
from typing import cast

from msgspec import Struct

from kycourier.adapters.http.connections import DeadlineConnection, build_pool
from kycourier.adapters.http.responses import transport_errors
from kycourier.core.errors import TransportError
from kycourier.core.redaction import repr_only
from kycourier.core.timing import WEBHOOK_DRAIN_SECONDS

MAX_BODY_BYTES = 1 << 16


@repr_only("status")
class Reply(Struct, frozen=True):
    """The head of a response; its body does not count."""

    status: int
    headers: Message


class ReceiverClient:
    """A client of one host, with a new connection for each call.

    Nothing is sent twice on its own, as it would be over a kept connection that died.
    """

    def __init__(self, base_url: str, *, extra_ca_file: str | None) -> None:
        """Opens no connection yet. Raises SettingError as `build_pool` does."""
        self._pool = build_pool(
            base_url,
            connections=1,
            max_body_bytes=MAX_BODY_BYTES,
            extra_ca_file=extra_ca_file,
        )

    def connect(self, *, seconds: float) -> None:
        """Opens a connection and closes it again. Raises TransportError."""
        connection = self._open()
        connection.timeout = seconds
        try:
            connection.connect()
        finally:
            connection.close()

    def post(
        self, path: str, headers: Mapping[str, str], body: bytes, *, seconds: float
    ) -> Reply:
        """Sends one request and reads the response's status and headers.

        Args:
            path: Path and query, encoded.
            headers: Headers that include `Host`, without line breaks.
            body: The body.
            seconds: The deadline of the whole call.

        Raises:
            TransportError: no whole head of a response came.
        """
        lines = [f"POST {path} HTTP/1.1"]
        lines += [f"{name}: {text}" for name, text in headers.items()]
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        connection = self._open()
        try:
            with transport_errors("reply_not_http"):
                connection.timeout = seconds
                return self._call(connection, "\r\n".join(lines).encode("ascii") + body)
        finally:
            connection.close()

    def _open(self) -> DeadlineConnection:
        opened = self._pool._new_conn()  # noqa: SLF001 - urllib3 has no public one
        return cast("DeadlineConnection", opened)  # the pool's ConnectionCls

    def _call(self, connection: DeadlineConnection, request: bytes) -> Reply:
        try:
            response = connection.send_post(request)
        except TransportError:
            # A body that is encoded or too large does not unsay the status.
            head = connection.response
            if head is None or head.headers is None:
                raise
            return Reply(head.status, head.headers)
        reply = Reply(response.status, response.headers)
        with suppress(Exception):  # only so that the receiver can end its response
            response.reader.shorten(WEBHOOK_DRAIN_SECONDS)
            response.read(MAX_BODY_BYTES)
        response.close()
        return reply
