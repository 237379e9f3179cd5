"""The platform over HTTP: one attempt per call, bounded in time and size, and silent.

UpstreamUnreachable's reasons: `resolve` and `connect` (no connection), `tls`,
`timeout`, `reset` (broke off before the answer's end), `too_large`, `encoded` (not
identity), `protocol` (not HTTP).
"""

import weakref
from contextlib import ExitStack
from time import monotonic
from urllib.parse import urlencode

from requests import Request
from urllib3 import BaseHTTPResponse
from urllib3.util import Timeout

from kycourier import __version__
from kycourier.adapters.http_answer import RoomForLarge, named, read_body, seconds_left
from kycourier.adapters.http_connection import build_pool
from kycourier.adapters.http_session import build_session, silence_libraries
from kycourier.adapters.memory import keep_memory_of_orders
from kycourier.core.errors import UpstreamUnreachable, forgetful
from kycourier.core.hidden import ReplyBody
from kycourier.core.models import KycReply, KycRequest

HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"kycourier/{__version__}",
}
LONGEST_RETRY_AFTER = 100


class KycHttp:
    """A KycTransport over one session of kept connections; threads may share it."""

    def __init__(
        self,
        base_url: str,
        *,
        connections: int,
        max_reply_bytes: int,
        extra_ca_file: str | None = None,
    ) -> None:
        silence_libraries()
        keep_memory_of_orders()
        self._base_url = base_url.rstrip("/")
        self._max_reply_bytes = max_reply_bytes
        self._room = RoomForLarge()
        self._session = build_session(
            build_pool(
                base_url,
                connections=connections,
                max_body_bytes=max_reply_bytes,
                extra_ca_file=extra_ca_file,
            ),
            HEADERS,
        )
        # Prepared once: to prepare it for each query takes as long as to send it.
        self._to_host = self._session.prepare_request(Request("GET", self._base_url))

    @forgetful
    def send(self, request: KycRequest, *, timeout_seconds: float) -> KycReply:
        """Send and read to the end within `timeout_seconds`, headers and body included.

        Any status is a reply. Raises UpstreamUnreachable, without the URL.
        """
        if timeout_seconds <= 0:
            raise UpstreamUnreachable("timeout")
        with named("protocol"):
            return self._exchange(request, monotonic() + timeout_seconds)

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def _exchange(self, request: KycRequest, ends_at: float) -> KycReply:
        timeout = Timeout(total=seconds_left(ends_at))
        prepared = self._to_host.copy()
        query = urlencode(request.query.reveal())
        prepared.url = f"{self._base_url}{request.path}?{query}"
        with self._session.send(
            prepared,
            stream=True,
            timeout=timeout,  # type: ignore[arg-type]  # requests takes it, its stubs not
            proxies={},
        ) as response:
            body = self._read(response.raw, ends_at)
            retry_after = response.headers.get("Retry-After")
            if retry_after and len(retry_after) > LONGEST_RETRY_AFTER:
                retry_after = None
            return KycReply(
                status=response.status_code,
                body=body,
                retry_after=retry_after,
            )

    def _read(self, answer: BaseHTTPResponse, ends_at: float) -> ReplyBody:
        """Read the body; a large one keeps its place until nobody holds it any more."""
        with ExitStack() as place:

            def make_room() -> None:
                self._room.take(ends_at)
                place.callback(self._room.give_back)

            body = ReplyBody(
                read_body(
                    answer,
                    max_body_bytes=self._max_reply_bytes,
                    make_room=make_room,
                )
            )
            weakref.finalize(body, place.pop_all().close)
        return body
