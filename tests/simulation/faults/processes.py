"""Faults 52 and 53: machines that stop, freeze and die, anywhere."""

from random import Random

from simulation.faults.fault import fault
from simulation.gate import Call, Rule
from simulation.plan import Plan
from simulation.strikes import Proceed, die, freeze
from simulation.world import RunWorld


@fault(
    52, "SIGTERM, freeze, thaw at any point",
    sees=("lease taken after its end", "stale_owner_refused"),
)  # fmt: skip
def stops_anywhere(world: RunWorld, plan: Plan, dice: Random) -> None:
    plan.lasts_until(300.0)

    def strike(call: Call, proceed: Proceed) -> object:
        after = dice.random() < 0.5
        if dice.random() < 0.3:
            return die(after=after)(call, proceed)
        return freeze(dice.choice((1, 20, 90, 150)), after=after)(call, proceed)

    plan.any_token_count = True
    world.add(Rule("52", "*", strike, chance=0.02))


@fault(53, "crash after a port call")
def crashes(world: RunWorld, plan: Plan, dice: Random) -> None:
    plan.any_token_count = True
    if world.gate.crash_after is None:
        world.gate.crash_after = dice.randrange(1, 70)
