"""Intercepts every port call of a machine: time passes, and fault rules apply."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Protocol

from greenlet import getcurrent

from kycourier.core.errors import KycourierError
from simulation.engine.scheduler import CrashError, Scheduler
from simulation.environment.machine import Machine

FOREVER = float("inf")


@dataclass
class PortCall:
    """One call of a port. `act` has its whole effect at once."""

    machine: Machine
    port: str
    verb: str
    args: tuple[object, ...]
    named: dict[str, object]
    act: Callable[[], object]
    failure: type[KycourierError]

    @property
    def name(self) -> str:
        return f"{self.port}.{self.verb}"

    def error(self, reason: str = "connection_reset") -> KycourierError:
        """Return the error that this port documents; the transport's has a cause."""
        return self.failure(reason)


class CallObserver(Protocol):
    """Sees each call: before it is sent, before and after its effect, on failure."""

    def begins(self, call: PortCall, *, after: str | None) -> None: ...
    def before(self, call: PortCall) -> object: ...
    def after(self, call: PortCall, before: object, result: object) -> None: ...
    def failed(self, call: PortCall) -> None: ...


FaultAction = Callable[[PortCall, Callable[[], object]], object]


@dataclass
class FaultRule:
    """A fault at a port: which calls, when, how often, and what it does to a call."""

    fault: str
    calls: str
    action: FaultAction
    starts_at: float = 0.0
    ends_at: float = FOREVER
    chance: float = 1.0
    limit: float = FOREVER
    skip: int = 0
    only: Callable[[PortCall], bool] = lambda _: True

    def applies(self, call: PortCall, now: float, rng: Random) -> bool:
        if not (self.starts_at <= now < self.ends_at and self.limit > 0):
            return False
        if not fnmatchcase(call.name, self.calls) or not self.only(call):
            return False
        if rng.random() >= self.chance:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.limit -= 1
        return True


@dataclass
class CallInterceptor:
    """Handles the port calls of one run; `crash_after` numbers the call that kills."""

    scheduler: Scheduler
    rng: Random
    observer: CallObserver
    on_injected: Callable[[str], None]
    rules: list[FaultRule] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    crash_after: int | None = None
    calls: int = 0

    def intercept(self, call: PortCall) -> object:
        """Send a call and return its result. Raises what the port raises."""
        task = getcurrent()
        self.observer.begins(call, after=getattr(task, "last_call", None))
        task.last_call = call.name
        self._pass_time(call.machine)
        result, error = None, None
        try:
            result = self._apply(call, list(self.rules))
        except KycourierError as raised:
            error = raised
            self.observer.failed(call)
        self.calls += 1
        self._trace(call, error)
        if self.calls == self.crash_after and not call.machine.is_dead:
            self.on_injected("53")
            call.machine.die()
        self._pass_time(call.machine)
        if error is not None:
            raise error
        return result

    def _apply(self, call: PortCall, rules: list[FaultRule]) -> object:
        while rules:
            rule = rules.pop(0)
            if rule.applies(call, self.scheduler.now, self.rng):
                self.on_injected(rule.fault)
                return rule.action(call, lambda: self._apply(call, rules))
        if call.machine.is_dead:
            raise CrashError
        before = self.observer.before(call)
        result = call.act()
        self.observer.after(call, before, result)
        return result

    def _pass_time(self, machine: Machine) -> None:
        if machine.is_dead:
            raise CrashError
        self.scheduler.pause(self.rng.uniform(0.001, 0.02), machine)

    def _trace(self, call: PortCall, error: KycourierError | None) -> None:
        outcome = "ok" if error is None else error.code
        now = self.scheduler.now
        self.trace.append(f"{now:.6f} {call.machine.name} {call.name} {outcome}")


class InterceptedPort:
    """One machine's view of a port: every verb but `now` is intercepted."""

    def __init__(
        self,
        inner: object,
        port: str,
        *,
        machine: Machine,
        interceptor: CallInterceptor,
        failure: type[KycourierError],
    ) -> None:
        self._inner, self._port, self._machine = inner, port, machine
        self._interceptor, self._failure = interceptor, failure

    def __getattr__(self, verb: str) -> Callable[..., object]:
        act = getattr(self._inner, verb)
        if verb == "now":
            return act

        def send(*args: object, **named: object) -> object:
            call = PortCall(
                self._machine, self._port, verb, args, named,
                lambda: act(*args, **named), self._failure,
            )  # fmt: skip
            return self._interceptor.intercept(call)

        return send
