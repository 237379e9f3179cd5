"""Small requests over kept connections: one send, one answer, nothing around them."""

import weakref
from collections.abc import Mapping
from contextlib import closing
from email.message import Message

from msgspec import Struct

from kycourier.adapters.http_answer import named
from kycourier.adapters.http_connection import TimedConnection, build_pool
from kycourier.core.errors import UpstreamUnreachable
from kycourier.core.hidden import shows


@shows("status")
class Exchanged(Struct, frozen=True):
    """An answer, read whole."""

    status: int
    headers: Message
    content: bytes


class Exchanges:
    """Connections to one host; threads share them, each asks on one of its own."""

    def __init__(
        self, base_url: str, *, max_body_bytes: int, extra_ca_file: str | None
    ) -> None:
        """Open none yet. Raises SettingError as `build_pool`."""
        self._max_body_bytes = max_body_bytes
        self._pool = build_pool(
            base_url,
            connections=1,
            max_body_bytes=max_body_bytes,
            extra_ca_file=extra_ca_file,
        )
        self._idle: list[TimedConnection] = []
        weakref.finalize(self, _close_all, self._idle)

    def post(
        self, path: str, headers: Mapping[str, str], body: bytes, *, seconds: float
    ) -> Exchanged:
        """Ask once; `headers` name the host and hold no line break.

        Raises UpstreamUnreachable.
        """
        lines = [f"POST {path} HTTP/1.1"]
        lines += [f"{name}: {text}" for name, text in headers.items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        connection = self._take()
        try:
            with named("protocol"):
                connection.timeout = seconds
                request = "\r\n".join(lines).encode("ascii") + body
                with closing(connection.exchange(request)) as answer:
                    content = answer.read(self._max_body_bytes + 1)
        except BaseException:
            connection.close()
            self._close_idle()
            raise
        if answer.will_close or len(content) > self._max_body_bytes:
            connection.close()
        else:
            self._idle.append(connection)
        if len(content) > self._max_body_bytes:
            raise UpstreamUnreachable("too_large")
        return Exchanged(answer.status, answer.headers, content)

    def _close_idle(self) -> None:
        """End those that nobody uses: what broke one broke them all, as a rule."""
        while (connection := self._pop()) is not None:
            connection.close()

    def _take(self) -> TimedConnection:
        while (connection := self._pop()) is not None:
            if connection.is_connected:
                return connection
            connection.close()
        made: TimedConnection = self._pool._new_conn()  # type: ignore[assignment]  # noqa: SLF001 - as ConnectionCls says
        return made

    def _pop(self) -> TimedConnection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None


def _close_all(idle: list[TimedConnection]) -> None:
    for connection in idle:
        connection.close()
