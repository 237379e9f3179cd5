"""Sends small POST requests over kept connections, without urllib3's overhead."""

import weakref
from collections.abc import Mapping
from contextlib import closing
from email.message import Message
from typing import cast

from msgspec import Struct

from kycourier.adapters.http.connections import DeadlineConnection, build_pool
from kycourier.adapters.http.responses import transport_errors
from kycourier.core.errors import TransportError
from kycourier.core.redaction import repr_only


@repr_only("status")
class HttpResponse(Struct, frozen=True):
    """A response, read whole."""

    status: int
    headers: Message
    content: bytes


class PostClient:
    """A client of one host; threads share it, and each uses its own connection."""

    def __init__(
        self, base_url: str, *, max_body_bytes: int, extra_ca_file: str | None
    ) -> None:
        """Opens no connection yet. Raises SettingError as `build_pool` does."""
        self._max_body_bytes = max_body_bytes
        self._pool = build_pool(
            base_url,
            connections=1,
            max_body_bytes=max_body_bytes,
            extra_ca_file=extra_ca_file,
        )
        self._idle: list[DeadlineConnection] = []
        weakref.finalize(self, _close_all, self._idle)

    def post(
        self, path: str, headers: Mapping[str, str], body: bytes, *, seconds: float
    ) -> HttpResponse:
        """Sends one request and reads the response.

        Args:
            path: The path, encoded.
            headers: Headers that include `Host`, without line breaks.
            body: The body.
            seconds: The deadline of the whole call.

        Raises:
            TransportError: no whole response came.
        """
        lines = [f"POST {path} HTTP/1.1"]
        lines += [f"{name}: {text}" for name, text in headers.items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        connection = self._take()
        try:
            with transport_errors("reply_not_http"):
                connection.timeout = seconds
                request = "\r\n".join(lines).encode("ascii") + body
                with closing(connection.send_post(request)) as response:
                    content = response.read(self._max_body_bytes + 1)
        except BaseException:
            connection.close()
            self._close_idle()
            raise
        if response.will_close or len(content) > self._max_body_bytes:
            connection.close()
        else:
            self._idle.append(connection)
        if len(content) > self._max_body_bytes:
            raise TransportError("reply_too_large")
        return HttpResponse(response.status, response.headers, content)

    def _close_idle(self) -> None:
        """Closes the idle connections: what broke one mostly broke them all."""
        while (connection := self._pop()) is not None:
            connection.close()

    def _take(self) -> DeadlineConnection:
        while (connection := self._pop()) is not None:
            if connection.is_connected:
                return connection
            connection.close()
        opened = self._pool._new_conn()  # noqa: SLF001 - urllib3 has no public one
        return cast(DeadlineConnection, opened)  # the pool's ConnectionCls

    def _pop(self) -> DeadlineConnection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None


def _close_all(idle: list[DeadlineConnection]) -> None:
    for connection in idle:
        connection.close()
