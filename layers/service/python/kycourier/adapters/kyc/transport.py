"""Calls the platform over HTTP: one attempt per call, bounded in time and size."""

import weakref
from contextlib import ExitStack
from functools import partial
from threading import Lock, Thread
from time import monotonic
from urllib.parse import urlencode

from requests import Session
from urllib3 import BaseHTTPResponse
from urllib3.util import Timeout

from kycourier import __version__
from kycourier.adapters.http.connections import build_pool, preconnect
from kycourier.adapters.http.responses import (
    LargeBodySlots,
    read_body,
    seconds_left,
    transport_errors,
)
from kycourier.adapters.http.sessions import build_session, mute_http_libraries
from kycourier.adapters.kyc.malloc import tune_malloc
from kycourier.core.errors import TransportError
from kycourier.core.redaction import ReplyBody, scrub_traceback
from kycourier.core.wire.messages import KycRequest, KycResponse

_JSON = {"Content-Type": "application/json"}
HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"kycourier/{__version__}",
}
MAX_RETRY_AFTER = 100


class HttpKycTransport:
    """A KycTransport over kept connections; threads may share it."""

    def __init__(
        self,
        base_url: str,
        *,
        connections: int,
        max_reply_bytes: int,
        extra_ca_file: str | None = None,
    ) -> None:
        mute_http_libraries()
        tune_malloc()
        self._base_url = base_url.rstrip("/")
        self._max_reply_bytes = max_reply_bytes
        self._slots, self._lock = LargeBodySlots(), Lock()
        self._build_pool = partial(
            build_pool, base_url, connections=connections, extra_ca_file=extra_ca_file
        )
        self._pool = self._build_pool(max_body_bytes=max_reply_bytes)
        self._sessions = {max_reply_bytes: build_session(self._pool, HEADERS)}

    def preconnect(self) -> Thread:
        """Starts to connect, so that the first query need not wait for a handshake.

        Returns:
            The thread that connects.
        """
        opening = Thread(target=preconnect, args=(self._pool,), daemon=True)
        opening.start()
        return opening

    @scrub_traceback
    def send(self, request: KycRequest, *, timeout_seconds: float) -> KycResponse:
        """Sends, and reads headers and body to the end within `timeout_seconds`.

        Any status is a response.

        Raises:
            TransportError: no whole response came; the error has no URL.
        """
        if timeout_seconds <= 0:
            raise TransportError("timed_out")
        with transport_errors("reply_not_http"):
            return self._call(request, monotonic() + timeout_seconds)

    def close(self) -> None:
        """Closes the kept connections."""
        for session in self._sessions.values():
            session.close()

    def _session(self, max_bytes: int) -> Session:
        """Returns the session of a cap, whose connections read no more than that."""
        with self._lock:
            if max_bytes not in self._sessions:
                pool = self._build_pool(max_body_bytes=max_bytes)
                self._sessions[max_bytes] = build_session(pool, HEADERS)
            return self._sessions[max_bytes]

    def _call(self, request: KycRequest, ends_at: float) -> KycResponse:
        timeout = Timeout(total=seconds_left(ends_at))
        query = urlencode(request.query.expose())
        content = request.body.expose() if request.body else None
        max_bytes = request.max_reply_bytes or self._max_reply_bytes
        with self._session(max_bytes).request(
            "GET" if content is None else "POST",
            f"{self._base_url}{request.path}?{query}",
            data=content,
            headers=None if content is None else _JSON,
            stream=True,
            timeout=timeout,  # type: ignore[arg-type]  # the stubs lack urllib3's Timeout
        ) as response:
            body = self._read(response.raw, ends_at, max_bytes=max_bytes)
            retry_after = response.headers.get("Retry-After")
            if retry_after and len(retry_after) > MAX_RETRY_AFTER:
                retry_after = None
            return KycResponse(
                status=response.status_code,
                body=body,
                retry_after=retry_after,
            )

    def _read(
        self, response: BaseHTTPResponse, ends_at: float, *, max_bytes: int
    ) -> ReplyBody:
        """Reads the body; a large one holds its slot until it is garbage-collected."""
        with ExitStack() as cleanup:

            def acquire_slot() -> None:
                self._slots.acquire(ends_at)
                cleanup.callback(self._slots.release)

            body = ReplyBody(
                read_body(
                    response,
                    max_body_bytes=max_bytes,
                    acquire_slot=acquire_slot,
                )
            )
            weakref.finalize(body, cleanup.pop_all().close)
        return body
