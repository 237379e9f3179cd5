"""The way from a machine to everything outside: time passes, and faults strike here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import TYPE_CHECKING

from greenlet import getcurrent

from kycourier.core.errors import KycourierError
from simulation.clockwork import Clockwork, Crash, Machine

if TYPE_CHECKING:
    from simulation.judge import Judge

FOREVER = float("inf")


@dataclass
class Call:
    """One call of a port, on its way. `act` has its effect, at once and whole."""

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

    def fail(self) -> KycourierError:
        """Give the error that this port documents."""
        return self.failure("synthetic fault")


Strike = Callable[[Call, Callable[[], object]], object]


@dataclass
class Rule:
    """A fault at a port: where, when, how often, and what it does with a call."""

    fault: str
    calls: str
    strike: Strike
    begins: float = 0.0
    ends: float = FOREVER
    chance: float = 1.0
    most: float = FOREVER
    skip: int = 0
    only: Callable[[Call], bool] = lambda _: True

    def strikes(self, call: Call, now: float, dice: Random) -> bool:
        if not (self.begins <= now < self.ends and self.most > 0):
            return False
        if not fnmatchcase(call.name, self.calls) or not self.only(call):
            return False
        if dice.random() >= self.chance:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.most -= 1
        return True


@dataclass
class Gate:
    """All ways outside of one run. `crash_after` kills whoever makes that call."""

    clockwork: Clockwork
    dice: Random
    judge: "Judge"
    met: Callable[[str], None]
    rules: list[Rule] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    crash_after: int | None = None
    calls: int = 0

    def pass_through(self, call: Call) -> object:
        """Make one call: there, its effect, and back. Raises what the port raises."""
        task = getcurrent()
        self.judge.begins(call, after=getattr(task, "last_call", None))
        task.last_call = call.name
        self._travel(call.machine)
        answer, error = None, None
        try:
            answer = self._strike(call, list(self.rules))
        except KycourierError as raised:
            error = raised
            self.judge.failed(call)
        self.calls += 1
        self._note(call, error)
        if self.calls == self.crash_after and not call.machine.is_gone:
            self.met("53")
            call.machine.die()
        self._travel(call.machine)
        if error is not None:
            raise error
        return answer

    def _strike(self, call: Call, rules: list[Rule]) -> object:
        while rules:
            rule = rules.pop(0)
            if rule.strikes(call, self.clockwork.now, self.dice):
                self.met(rule.fault)
                return rule.strike(call, lambda: self._strike(call, rules))
        if call.machine.is_gone:
            raise Crash
        before = self.judge.before(call)
        answer = call.act()
        self.judge.after(call, before, answer)
        return answer

    def _travel(self, machine: Machine) -> None:
        if machine.is_gone:
            raise Crash
        self.clockwork.pause(self.dice.uniform(0.001, 0.02), machine)

    def _note(self, call: Call, error: KycourierError | None) -> None:
        outcome = "ok" if error is None else error.code
        now = self.clockwork.now
        self.trace.append(f"{now:.6f} {call.machine.name} {call.name} {outcome}")


class Gated:
    """A port as one machine has it: every verb but `now` goes through the gate."""

    def __init__(
        self,
        inner: object,
        port: str,
        *,
        machine: Machine,
        gate: Gate,
        failure: type[KycourierError],
    ) -> None:
        self._inner, self._port, self._machine = inner, port, machine
        self._gate, self._failure = gate, failure

    def __getattr__(self, verb: str) -> Callable[..., object]:
        act = getattr(self._inner, verb)
        if verb == "now":
            return act

        def go(*args: object, **named: object) -> object:
            call = Call(
                self._machine, self._port, verb, args, named,
                lambda: act(*args, **named), self._failure,
            )  # fmt: skip
            return self._gate.pass_through(call)

        return go
