"""G17: a start that seals results beside one that does not, on the local adapters."""

import json
import statistics
from collections.abc import Sequence

from joserfc.jwk import ECKey

from bench.environment.bench_environment import BenchEnvironment
from bench.goals.goal import Goal, Measured
from bench.measure.figures import Figure, bootstrap, compare, spread

MAX_MORE_MILLISECONDS = 60.0
PAIRS = 30


def measure(environment: BenchEnvironment) -> Measured:
    """Starts both in turn, from a bare interpreter to a ready handler."""
    key = ECKey.generate_key("P-256", auto_kid=False)
    public = json.dumps(key.as_dict(private=False))
    sealing = {
        "KYCOURIER_RECIPIENT_KEY": "env:BENCH_RECIPIENT",
        "BENCH_RECIPIENT": public,
    }
    pairs: list[tuple[float, float]] = []
    for counted in (-1, *environment.rounds(PAIRS)):  # the first fills the disk cache
        with environment.start_local_service(settings=sealing) as worker:
            sealed = worker.startup["wall"]
        with environment.start_local_service() as worker:
            plain = worker.startup["wall"]
        if counted >= 0:
            pairs.append((sealed, plain))
    names = ("sealing", "not sealing")
    ours, theirs = zip(*pairs, strict=True)
    raw = {
        name: [round(each * 1000, 4) for each in samples]
        for name, samples in zip(names, (ours, theirs), strict=True)
    }
    more = Figure(
        label="a sealing start's additional wall time",
        measured=_additional(pairs),
        goal=MAX_MORE_MILLISECONDS,
        unit="ms",
        interval=bootstrap(pairs, _additional),
        raw=raw,
        medians={name: statistics.median(each) for name, each in raw.items()},
        spreads={name: spread(each) for name, each in raw.items()},
    )
    return [more, compare("wall, sealing ÷ not sealing", ours, theirs, names=names)], []


def _additional(pairs: Sequence[tuple[float, float]]) -> float:
    """Returns the difference of the two medians in milliseconds."""
    ours, theirs = zip(*pairs, strict=True)
    return 1000.0 * float(statistics.median(ours) - statistics.median(theirs))


GOAL = Goal("G17", "start with sealed results − without, in milliseconds", measure)
