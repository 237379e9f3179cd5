"""G12: connections opened by 23 orders, one after another."""

from bench.environment.bench_environment import BenchEnvironment
from bench.goals.goal import Goal, Measured
from bench.measure.figures import Figure

MAX_CONNECTIONS = {"upstream": 1, "store": 3}
ORDERS = 23
SIZE = 200_000


def measure(environment: BenchEnvironment) -> Measured:
    """Counts at the emulators, including the connections of the start."""
    environment.set_latency(0)
    with environment.start_service() as worker:
        worker.collect(SIZE)  # obtains the ticket for all processes
    emulators = {
        "upstream": environment.kyc_platform,
        "store": environment.s3,
        "table, bus, queue, secrets": environment.aws_services,
    }
    before = {name: each.counters()["connections"] for name, each in emulators.items()}
    with environment.start_service() as worker:
        for _ in environment.rounds(ORDERS):
            worker.collect(SIZE)
        opened = {
            name: each.counters()["connections"] - before[name]
            for name, each in emulators.items()
        }
    return [
        Figure(label=name, measured=count, goal=MAX_CONNECTIONS.get(name))
        for name, count in opened.items()
    ], []


GOAL = Goal("G12", "connections for 23 orders", measure)
