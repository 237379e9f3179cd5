"""Authenticates requests: their signature by a live key, if the function checks it."""

from datetime import datetime

from kycourier.core.errors import ApiProblemError, StoreUnavailableError
from kycourier.core.redaction import Secret, scrub_traceback
from kycourier.core.request_signature import (
    HEADER,
    SignedRequest,
    check_signature,
    parse_keys,
)
from kycourier.core.timing import API_KEYS_CACHE_SECONDS
from kycourier.ports import Clock, SecretSource
from kycourier.triggers.http.event import HttpRequest
from kycourier.usecases.deadlines import Stopwatch


class RequestAuthenticator:
    """Checks signatures with keys that were read at most 60 s ago.

    Without a source of keys, a gateway has authenticated the caller if `needs_gateway`,
    and nobody needs to otherwise.
    """

    def __init__(
        self, source: SecretSource | None, *, needs_gateway: bool, clock: Clock
    ) -> None:
        self._source, self._needs_gateway, self._clock = source, needs_gateway, clock
        self._cached: tuple[tuple[Secret, ...], Stopwatch] | None = None

    @scrub_traceback
    def authenticate(self, request: HttpRequest) -> datetime | None:
        """Authenticates a request.

        Returns:
            When it was signed, if signatures are checked here.

        Raises:
            ApiProblemError: it is not signed, or did not come through the gateway.
            StoreUnavailableError: the keys cannot be read.
        """
        if self._source is None:
            if self._needs_gateway and not request.has_context:
                raise ApiProblemError("signature_missing")
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
        """Returns the live keys; the cached ones while their source has none."""
        cached = self._cached
        if cached is not None and cached[1].seconds() < API_KEYS_CACHE_SECONDS:
            return cached[0]
        try:
            keys = parse_keys(source.get())
        except StoreUnavailableError:
            keys = None
        if keys is None:
            if cached is None:
                raise StoreUnavailableError("no usable API keys")
            keys = cached[0]
        self._cached = (keys, Stopwatch(self._clock))
        return keys
