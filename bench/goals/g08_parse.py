"""G8: from a reply's bytes to photo bytes, beside json.loads and base64.b64decode."""

from pathlib import Path

from bench.counting import ABSENT, LIMIT_SECONDS, count_instructions
from bench.figures import Figure, compare
from bench.goal import Goal, Measured
from bench.processes import BenchFailed
from bench.stage import Stage
from bench.stand_ins.reply import build_reply

MOST = 0.10
TURNS = 40
TIMES = 10
SIZE = 200_000
NOTE = (
    "The service's digests of the photos (SHA-256) are no part of the goal: they are"
    " measured alone in the same turns and taken off; with them it is the second row."
)
FILES = {
    "ours": "subjects/parse.py",
    "naive": "naive/parse.py",
    "sha": "floor/digest.py",
}


def measure(stage: Stage) -> Measured:
    """Parse the same reply in turn, in three processes."""
    path = stage.folder / "reply.json"
    path.write_bytes(b"".join(build_reply("p200000n1", SIZE)))
    event = {"body": str(path), "size": SIZE, "times": TIMES}
    found: dict[str, list[float]] = {name: [] for name in FILES}
    with (
        stage.peer(FILES["ours"]) as ours,
        stage.peer(FILES["naive"]) as naive,
        stage.peer(FILES["sha"]) as sha,
    ):
        workers = {"ours": ours, "naive": naive, "sha": sha}
        for worker in workers.values():
            worker.call(event)
        for _ in stage.steps(TURNS):
            for name, worker in workers.items():
                found[name].append(worker.call(event).cpu / TIMES)
    figures = _figures("3×200 KB", found, goal=MOST)
    try:
        counts = {name: [_count(stage, file, path)] for name, file in FILES.items()}
    except BenchFailed as failed:
        return figures, [NOTE, f"{ABSENT}: {failed}."]
    more = _figures("instructions (millions)", counts, scale=1e-6)
    return [*figures, *more], [NOTE]


def _figures(
    label: str,
    found: dict[str, list[float]],
    *,
    goal: float | None = None,
    scale: float = 1000,
) -> list[Figure]:
    pairs = zip(found["ours"], found["sha"], strict=True)
    ours = [parsed - digested for parsed, digested in pairs]
    return [
        compare(label, ours, found["naive"], goal=goal, scale=scale),
        compare(f"{label}, with digests", found["ours"], found["naive"], scale=scale),
    ]


def _count(stage: Stage, file: str, path: Path) -> float:
    event = {"body": str(path), "size": SIZE, "times": 1}
    return count_instructions(
        lambda wrap: stage.peer(file, wrap=wrap),
        lambda worker: worker.call(event, limit=LIMIT_SECONDS),
        calls=2 if stage.is_smoke else 10,
    )


GOAL = Goal("G8", "reply → photo bytes ÷ json + base64", measure)
