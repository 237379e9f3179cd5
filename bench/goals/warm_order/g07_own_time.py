"""G7: the time of an order beyond the latencies of its round trips."""

import statistics

from bench.environment.bench_environment import LATENCY_SECONDS, BenchEnvironment
from bench.goals.goal import Goal, Measured
from bench.measure import raw_http
from bench.measure.figures import Figure, summarize
from bench.measure.raw_http import median_latency

MAX_MILLISECONDS = 6
ORDERS = 60
SIZE = 1000
OPERATIONS = ("GetItem", "UpdateItem", "PutEvents")


def measure(environment: BenchEnvironment) -> Measured:
    """Collects orders with photos of 1 KB; the emulators count their round trips."""
    s3, aws = environment.s3, environment.aws_services
    environment.set_latency(LATENCY_SECONDS)
    with environment.start_service() as worker:
        for _ in range(3):
            worker.collect(SIZE)
        before = aws.counters(), s3.counters()
        seconds = [worker.collect(SIZE).wall for _ in environment.rounds(ORDERS)]
        after = aws.counters(), s3.counters()
    trips = {
        name: (after[0][name] - before[0][name]) / len(seconds) for name in OPERATIONS
    }
    trips["put"] = (after[1]["put"] - before[1]["put"]) / len(seconds)
    latency = _measure_trips(environment, trips)
    figure = summarize(
        "3×1 KB",
        [(each - latency) * 1000 for each in seconds],
        unit="ms",
        goal=MAX_MILLISECONDS,
    )
    counts = ", ".join(f"{count:.2f} {name}" for name, count in trips.items())
    return [figure, *_for_information(seconds, latency)], [
        "Photos of 1 KB replace none at all: a reply without photos is queried again.",
        f"Round trips of an order, besides one query: {counts}.",
    ]


def _measure_trips(environment: BenchEnvironment, trips: dict[str, float]) -> float:
    """Returns the seconds that an order's round trips take as raw calls."""
    s3, aws = environment.s3, environment.aws_services
    calls = 10 if environment.is_smoke else 200
    one = {
        "put": median_latency(s3, raw_http.put(SIZE), calls=calls),
        "PutEvents": median_latency(aws, raw_http.put_events(), calls=calls),
        "GetItem": median_latency(aws, raw_http.get_item(), calls=calls),
    }
    one["UpdateItem"] = one["GetItem"]
    query = median_latency(
        environment.kyc_platform, raw_http.query(SIZE), calls=max(3, calls // 10)
    )
    return query + sum(trips[name] * one[name] for name in trips)


def _for_information(seconds: list[float], latency: float) -> list[Figure]:
    wall = statistics.median(seconds) * 1000
    return [
        Figure(label="whole order", measured=wall, unit="ms"),
        Figure(
            label="its round trips as raw calls", measured=latency * 1000, unit="ms"
        ),
    ]


GOAL = Goal("G7", "warm wall beyond its round trips", measure)
