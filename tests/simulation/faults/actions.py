"""Fault actions: what happens to a port call before, after or instead of its effect."""

from collections.abc import Callable

from kycourier.core.redaction import ReplyBody
from kycourier.core.wire.messages import KycResponse
from simulation.engine.scheduler import CrashError
from simulation.environment.interceptor import FaultAction, PortCall

Proceed = Callable[[], object]


def refuse_with(reason: str) -> FaultAction:
    """Fail before any effect."""

    def action(call: PortCall, proceed: Proceed) -> object:
        del proceed
        raise call.error(reason)

    return action


def lose_with(reason: str) -> FaultAction:
    """Have the effect, then fail."""

    def action(call: PortCall, proceed: Proceed) -> object:
        proceed()
        raise call.error(reason)

    return action


refuse, lose_response = refuse_with("connect_failed"), lose_with("connection_reset")


def repeat(call: PortCall, proceed: Proceed) -> object:
    """Have the effect twice, as after a reconnect."""
    del call
    proceed()
    return proceed()


def slow(seconds: float) -> FaultAction:
    """Take long, then have the effect, or fail at the adapter's timeout."""

    def action(call: PortCall, proceed: Proceed) -> object:
        timeout = _timeout(call)
        call.machine.sleep(min(seconds, timeout))
        if seconds > timeout:
            raise call.error("timed_out")
        return proceed()

    return action


def drip(call: PortCall, proceed: Proceed) -> object:
    """Have the effect, and respond more slowly than the timeout."""
    began = call.machine.monotonic()
    proceed()
    spent = call.machine.monotonic() - began
    call.machine.sleep(max(0.0, _timeout(call) - spent))
    raise call.error("timed_out")


def _timeout(call: PortCall) -> float:
    """Return the seconds after which an adapter ends this call."""
    by_call = call.named.get("timeout_seconds", 20.0)
    assert isinstance(by_call, float | int)
    return max(0.0, min(by_call, call.machine.seconds_left() - 0.6))


def freeze(seconds: float, *, after: bool) -> FaultAction:
    """Freeze the machine before or after the effect."""

    def action(call: PortCall, proceed: Proceed) -> object:
        if after:
            result = proceed()
            call.machine.freeze(seconds)
            call.machine.sleep(0)
            return result
        call.machine.freeze(seconds)
        call.machine.sleep(0)
        return proceed()

    return action


def die(*, after: bool) -> FaultAction:
    """End the machine before or after the effect."""

    def action(call: PortCall, proceed: Proceed) -> object:
        if after:
            proceed()
        call.machine.die()
        raise CrashError

    return action


def respond(make: Callable[[], KycResponse]) -> FaultAction:
    """Respond instead of the platform."""

    def action(call: PortCall, proceed: Proceed) -> object:
        del call, proceed
        return make()

    return action


def alter(change: Callable[[KycResponse], KycResponse]) -> FaultAction:
    """Change the platform's reply."""

    def action(call: PortCall, proceed: Proceed) -> object:
        del call
        reply = proceed()
        assert isinstance(reply, KycResponse)
        return change(reply)

    return action


def reply(
    body: bytes, status: int = 200, retry_after: str | None = None
) -> KycResponse:
    return KycResponse(status=status, body=ReplyBody(body), retry_after=retry_after)
