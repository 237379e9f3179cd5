"""G7: what an order takes beyond the latencies of its own round trips."""

import statistics

from bench import bare
from bench.figures import Figure, state
from bench.goal import Goal, Measured
from bench.stage import LATENCY, Stage

MOST_MS = 6
ORDERS = 60
SIZE = 1000
SERVICES = ("GetItem", "UpdateItem", "PutEvents")


def measure(stage: Stage) -> Measured:
    """Collect orders with photos of 1 KB; count their round trips at the stand-ins."""
    stage.be_slow(LATENCY)
    with stage.ours() as worker:
        for _ in range(3):
            worker.collect(SIZE)
        before = stage.services.counts(), stage.bucket.counts()
        seconds = [worker.collect(SIZE).wall for _ in stage.steps(ORDERS)]
        after = stage.services.counts(), stage.bucket.counts()
    trips = {
        name: (after[0][name] - before[0][name]) / len(seconds) for name in SERVICES
    }
    trips["put"] = (after[1]["put"] - before[1]["put"]) / len(seconds)
    calls = 10 if stage.is_smoke else 200
    one = {
        "put": bare.latency(stage.bucket, bare.put(SIZE), calls=calls),
        "PutEvents": bare.latency(stage.services, bare.put_events(), calls=calls),
        "GetItem": bare.latency(stage.services, bare.get_item(), calls=calls),
    }
    one["UpdateItem"] = one["GetItem"]
    asked = bare.latency(stage.upstream, bare.query(SIZE), calls=max(3, calls // 10))
    own = asked + sum(trips[name] * one[name] for name in trips)
    figure = state(
        "3×1 KB", [(each - own) * 1000 for each in seconds], unit="ms", goal=MOST_MS
    )
    told = ", ".join(f"{count:.2f} {name}" for name, count in trips.items())
    return [figure, *_beside(seconds, own)], [
        "Photos of 1 KB stand in for none: a reply without any is asked for again.",
        f"Round trips an order, beside one query: {told}.",
    ]


def _beside(seconds: list[float], own: float) -> list[Figure]:
    wall = statistics.median(seconds) * 1000
    return [
        Figure(label="whole order", measured=wall, unit="ms"),
        Figure(label="its round trips, bare", measured=own * 1000, unit="ms"),
    ]


GOAL = Goal("G7", "warm wall beyond its round trips", measure)
