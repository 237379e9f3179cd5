"""Who may call the API: whoever signs with a live key, where the function checks it."""

from datetime import datetime

from kycourier.adapters.triggers.http_event import HttpRequest
from kycourier.core.errors import BadRequest, StoreUnavailable, forgetful
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
    """Checks signatures with keys read at most 60 s ago.

    Without a source a gateway has authenticated, if `needs_gateway`, or nobody has to.
    """

    def __init__(
        self, source: SecretSource | None, *, needs_gateway: bool, clock: Clock
    ) -> None:
        self._source, self._needs_gateway, self._clock = source, needs_gateway, clock
        self._copy: tuple[tuple[Secret, ...], Since] | None = None

    @forgetful
    def admit(self, request: HttpRequest) -> datetime | None:
        """Let the request pass; give when it was signed, where that is checked here.

        Where a gateway is to have authenticated, what none handed over is not signed.
        Raises BadRequest, StoreUnavailable.
        """
        if self._source is None:
            if self._needs_gateway and not request.has_context:
                raise BadRequest("signature_missing")
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
