"""The way to the platform and back, within a total deadline, as `kyc_http` keeps it."""

from random import Random

from kycourier.core.errors import UpstreamUnreachable
from kycourier.core.models import KycReply, KycRequest
from simulation.clockwork import Clockwork, Machine
from simulation.gate import Call, Gate
from simulation.platform import Platform

VERBS = {
    "/api/oauth2/access_token": "token",
    "/api/oauth2/api_ticket": "ticket",
    "/api/server/getBankCardOcrResult": "query",
}


QUICK_SECONDS = 0.4


class SimulatedTransport:
    """One machine's transport. A call's verb at the gate is what it asks for."""

    def __init__(
        self,
        platform: Platform,
        *,
        machine: Machine,
        gate: Gate,
        dice: Random,
        slowest: float,
    ) -> None:
        self._platform, self._machine = platform, machine
        self._gate, self._dice = gate, dice
        self._slowest = slowest
        self.in_flight = self.most_in_flight = 0

    def send(self, request: KycRequest, *, timeout_seconds: float) -> KycReply:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self._platform.begin(request, self._machine)
        try:
            reply = self._go(request, timeout_seconds)
        finally:
            self.in_flight -= 1
            self._platform.end(request, self._machine)
        assert isinstance(reply, KycReply)
        return reply

    def _go(self, request: KycRequest, timeout_seconds: float) -> object:
        verb, named = VERBS[request.path], {"timeout_seconds": timeout_seconds}

        def act() -> KycReply:
            slowest = self._slowest if verb == "query" else QUICK_SECONDS
            way = self._dice.uniform(0.02, slowest)
            pause_within(self._gate.clockwork, self._machine, way, timeout_seconds)
            return self._platform.answer(request, self._machine)

        call = Call(
            self._machine, "kyc", verb, (request,), named, act, UpstreamUnreachable
        )
        return self._gate.pass_through(call)


def pause_within(
    clockwork: Clockwork, machine: Machine, seconds: float, most: float
) -> None:
    """Let a call take its time. Raises UpstreamUnreachable at its deadline."""
    clockwork.pause(min(seconds, most), machine)
    if seconds > most:
        raise UpstreamUnreachable("too slow")
