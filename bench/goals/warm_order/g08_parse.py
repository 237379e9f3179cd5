"""G8: from a reply's bytes to photo bytes, beside json.loads and base64.b64decode."""

from contextlib import ExitStack
from pathlib import Path

from bench.emulators.kyc_reply import build_reply
from bench.environment.bench_environment import BenchEnvironment
from bench.errors import BenchError
from bench.goals.goal import Goal, Measured
from bench.measure.figures import Figure, compare
from bench.measure.instructions import LIMIT_SECONDS, NOT_COUNTED, count_instructions

MAX_RATIO = 0.10
TURNS = 40
TIMES = 10
SIZE = 200_000
NOTE = (
    "The service also digests the photos (SHA-256), which the goal excludes: they"
    " are measured alone in the same turns and subtracted. The second row has them."
)
FILES = {"ours": "service_parse", "naive": "naive_parse", "digests": "photo_digests"}


def measure(environment: BenchEnvironment) -> Measured:
    """Parses the same reply in turn, in three processes."""
    path = environment.folder / "reply.json"
    path.write_bytes(b"".join(build_reply("p200000n1", SIZE)))
    event = {"body": str(path), "size": SIZE, "times": TIMES}
    seconds: dict[str, list[float]] = {name: [] for name in FILES}
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(environment.start_peer(file))
            for name, file in FILES.items()
        }
        for worker in workers.values():
            worker.call(event)
        for _ in environment.rounds(TURNS):
            for name, worker in workers.items():
                seconds[name].append(worker.call(event).cpu / TIMES)
    figures = _compare("3×200 KB", seconds, goal=MAX_RATIO)
    try:
        counts = {
            name: [_count(environment, file, path)] for name, file in FILES.items()
        }
    except BenchError as error:
        return figures, [NOTE, f"{NOT_COUNTED}: {error}."]
    more = _compare("instructions (millions)", counts, scale=1e-6)
    return [*figures, *more], [NOTE]


def _compare(
    label: str,
    samples: dict[str, list[float]],
    *,
    goal: float | None = None,
    scale: float = 1000,
) -> list[Figure]:
    ours, naive, digests = (samples[name] for name in FILES)
    without = [
        parsed - digested for parsed, digested in zip(ours, digests, strict=True)
    ]
    return [
        compare(label, without, naive, goal=goal, scale=scale),
        compare(f"{label}, with digests", ours, naive, scale=scale),
    ]


def _count(environment: BenchEnvironment, file: str, path: Path) -> float:
    event = {"body": str(path), "size": SIZE, "times": 1}
    return count_instructions(
        lambda wrapper: environment.start_peer(file, wrapper=wrapper),
        lambda worker: worker.call(event, limit=LIMIT_SECONDS),
        calls=2 if environment.is_smoke else 10,
    )


GOAL = Goal("G8", "reply → photo bytes ÷ json + base64", measure)
