"""What a fault does with a call at the gate: before its effect, after it, instead."""

from collections.abc import Callable

from kycourier.core.hidden import ReplyBody
from kycourier.core.models import KycReply
from simulation.clockwork import Crash
from simulation.gate import Call, Strike

Proceed = Callable[[], object]


def refuse(call: Call, proceed: Proceed) -> object:
    """Fail before any effect."""
    del proceed
    raise call.fail()


def lose_answer(call: Call, proceed: Proceed) -> object:
    """Have the effect, and fail all the same."""
    proceed()
    raise call.fail()


def repeat(call: Call, proceed: Proceed) -> object:
    """Have the effect twice: a connection that was stale is made again."""
    del call
    proceed()
    return proceed()


def slow(seconds: float) -> Strike:
    """Take long, then have the effect; adapters give up before the machine must."""

    def strike(call: Call, proceed: Proceed) -> object:
        most = most_seconds(call)
        call.machine.sleep(min(seconds, most))
        if seconds > most:
            raise call.fail()
        return proceed()

    return strike


def hang(call: Call, proceed: Proceed) -> object:
    """Say nothing until the caller's deadline."""
    del proceed
    call.machine.sleep(most_seconds(call))
    raise call.fail()


def drip(call: Call, proceed: Proceed) -> object:
    """Have the effect, and answer so slowly that the deadline comes first."""
    began = call.machine.monotonic()
    proceed()
    spent = call.machine.monotonic() - began
    call.machine.sleep(max(0.0, most_seconds(call) - spent))
    raise call.fail()


def most_seconds(call: Call) -> float:
    """Tell how long an adapter lets this call last."""
    by_call = call.named.get("timeout_seconds", 20.0)
    assert isinstance(by_call, float | int)
    return max(0.0, min(by_call, call.machine.seconds_left() - 0.6))


def freeze(seconds: float, *, after: bool) -> Strike:
    """Freeze the machine before or after the effect."""

    def strike(call: Call, proceed: Proceed) -> object:
        if after:
            answer = proceed()
            call.machine.freeze(seconds)
            call.machine.sleep(0)
            return answer
        call.machine.freeze(seconds)
        call.machine.sleep(0)
        return proceed()

    return strike


def die(*, after: bool) -> Strike:
    """End the machine before or after the effect."""

    def strike(call: Call, proceed: Proceed) -> object:
        if after:
            proceed()
        call.machine.die()
        raise Crash

    return strike


def answer(make: Callable[[], KycReply]) -> Strike:
    """Answer instead of the platform."""

    def strike(call: Call, proceed: Proceed) -> object:
        del call, proceed
        return make()

    return strike


def garble(change: Callable[[KycReply], KycReply]) -> Strike:
    """Let the platform answer, and change what comes of it."""

    def strike(call: Call, proceed: Proceed) -> object:
        del call
        reply = proceed()
        assert isinstance(reply, KycReply)
        return change(reply)

    return strike


def reply(body: bytes, status: int = 200, retry_after: str | None = None) -> KycReply:
    return KycReply(status=status, body=ReplyBody(body), retry_after=retry_after)
