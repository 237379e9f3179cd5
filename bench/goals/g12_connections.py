"""G12: connections that 23 orders open, one after another."""

from bench.figures import Figure
from bench.goal import Goal, Measured
from bench.stage import Stage

MOST = {"upstream": 1, "store": 3}
ORDERS = 23
SIZE = 200_000


def measure(stage: Stage) -> Measured:
    """Count at the stand-ins, the start included."""
    stage.be_slow(0)
    with stage.ours() as worker:
        worker.collect(SIZE)  # buys the ticket, for all
    stand_ins = {
        "upstream": stage.upstream,
        "store": stage.bucket,
        "table, bus, queue, secrets": stage.services,
    }
    before = {name: each.counts()["connections"] for name, each in stand_ins.items()}
    with stage.ours() as worker:
        for _ in stage.steps(ORDERS):
            worker.collect(SIZE)
        opened = {
            name: each.counts()["connections"] - before[name]
            for name, each in stand_ins.items()
        }
    return [
        Figure(label=name, measured=count, goal=MOST.get(name))
        for name, count in opened.items()
    ], []


GOAL = Goal("G12", "connections for 23 orders", measure)
