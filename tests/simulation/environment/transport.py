"""The HTTP transport to the platform; like the real one, it has a total deadline."""

from random import Random

from kycourier.core.errors import TransportError
from kycourier.core.wire.messages import KycRequest, KycResponse
from simulation.engine.scheduler import Scheduler
from simulation.environment.interceptor import CallInterceptor, PortCall
from simulation.environment.machine import Machine
from simulation.environment.platform import (
    FACE_PATH,
    ID_CARD_PATH,
    SimulatedPlatform,
)

VERBS = {
    "/api/oauth2/access_token": "token",
    "/api/oauth2/api_ticket": "ticket",
    "/api/server/getBankCardOcrResult": "query",
    ID_CARD_PATH: "query",
    FACE_PATH: "query",
}
KYC_CALLS = {f"kyc.{verb}" for verb in VERBS.values()}
MAX_TICKET_SECONDS = 0.4


class SimulatedTransport:
    """One machine's transport; it intercepts each call as `kyc.token` and the like."""

    def __init__(
        self,
        platform: SimulatedPlatform,
        *,
        machine: Machine,
        interceptor: CallInterceptor,
        rng: Random,
        max_seconds: float,
    ) -> None:
        self._platform, self._machine = platform, machine
        self._interceptor, self._rng = interceptor, rng
        self._max_seconds = max_seconds
        self._ends_at: list[float] = []  # when each call in flight times out
        self.max_in_flight = 0

    def send(self, request: KycRequest, *, timeout_seconds: float) -> KycResponse:
        now = self._interceptor.scheduler.now
        self._ends_at.append(now + timeout_seconds)
        # A call of a frozen machine that outlived its timeout is none any more.
        in_flight = sum(ends_at > now for ends_at in self._ends_at)
        self.max_in_flight = max(self.max_in_flight, in_flight)
        self._platform.begin(request, self._machine)
        try:
            reply = self._send(request, timeout_seconds)
        finally:
            self._ends_at.remove(now + timeout_seconds)
            self._platform.end(request, self._machine)
        assert isinstance(reply, KycResponse)
        return reply

    def _send(self, request: KycRequest, timeout_seconds: float) -> object:
        verb, named = VERBS[request.path], {"timeout_seconds": timeout_seconds}

        def act() -> KycResponse:
            longest = self._max_seconds if verb == "query" else MAX_TICKET_SECONDS
            seconds = self._rng.uniform(0.02, longest)
            _pause(self._interceptor.scheduler, self._machine, seconds, timeout_seconds)
            return self._platform.respond(request, self._machine)

        call = PortCall(
            self._machine, "kyc", verb, (request,), named, act, TransportError
        )
        return self._interceptor.intercept(call)


def _pause(
    scheduler: Scheduler, machine: Machine, seconds: float, timeout: float
) -> None:
    """Let a call take its time. Raises TransportError at the timeout."""
    scheduler.pause(min(seconds, timeout), machine)
    if seconds > timeout:
        raise TransportError("timed_out")
