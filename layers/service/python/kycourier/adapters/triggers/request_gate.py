"""Who may call the API: whoever signs with a live key, where the function checks it."""

from datetime import datetime

from kycourier.adapters.triggers.http_event import HttpRequest
from kycourier.core.errors import StoreUnavailable, forgetful
from kycourier.core.hidden import Secret
from kycourier.core.request_signature import (
    HEADER,
    SignedRequest,
    check_signature,
    parse_keys,
)
from kycourier.ports import Clock, SecretSource
from kycourier.usecases.since import Since

COPY_SECONDS = 60.0


class RequestGate:
    """Checks signatures with keys read at most 60 s ago; without a source, nothing."""

    def __init__(self, source: SecretSource | None, *, clock: Clock) -> None:
        self._source, self._clock = source, clock
        self._copy: tuple[tuple[Secret, ...], Since] | None = None

    @forgetful
    def admit(self, request: HttpRequest) -> datetime | None:
        """Let the request pass; give when it was signed, where that is checked here.

        Raises BadRequest, StoreUnavailable.
        """
        if self._source is None:
            return None
        return check_signature(
            request.values(HEADER.lower()),
            SignedRequest(
                method=request.method,
                path=request.path,
                query=request.query,
                body=request.body,
            ),
            keys=self._keys(self._source),
            now=self._clock.now(),
        )

    def _keys(self, source: SecretSource) -> tuple[Secret, ...]:
        """Give the live keys; while their source has none, the copy serves on."""
        copy = self._copy
        if copy is not None and copy[1].seconds() < COPY_SECONDS:
            return copy[0]
        try:
            keys = parse_keys(source.load())
        except StoreUnavailable:
            keys = None
        if keys is None:
            if copy is None:
                raise StoreUnavailable("no usable API keys")
            keys = copy[0]
        self._copy = (keys, Since(self._clock))
        return keys
