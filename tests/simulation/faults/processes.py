"""Faults 52 and 53: machines freeze or die at any port call."""

from simulation.environment.interceptor import PortCall
from simulation.faults.actions import Proceed, die, freeze
from simulation.faults.registry import FaultRun, fault


@fault(
    52,
    "SIGTERM, freeze, thaw at any point",
    expects=("expired lease taken over", "stale_owner_refused"),
)
def stops_anywhere(run: FaultRun) -> None:
    run.plan.extend_faults_to(300.0)

    def action(call: PortCall, proceed: Proceed) -> object:
        after = run.rng.random() < 0.5
        if run.rng.random() < 0.3:
            return die(after=after)(call, proceed)
        return freeze(run.rng.choice((1, 20, 90, 150)), after=after)(call, proceed)

    run.add_rule("*", action, chance=0.02)


@fault(53, "crash after a port call")
def crashes(run: FaultRun) -> None:
    if run.context.interceptor.crash_after is None:
        run.context.interceptor.crash_after = run.rng.randrange(1, 70)
