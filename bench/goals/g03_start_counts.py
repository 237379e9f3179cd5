"""G3: what a start loads, opens and compiles, which does not drift with the machine."""

import json
from pathlib import Path

from bench.figures import Figure
from bench.goal import Goal, Measured
from bench.stage import Stage

BASELINE = Path(__file__).parents[1] / "start_counts.json"
FUNCTIONS = ("collect_results", "orders_api", "refresh_ticket", "sweep_orders")
COUNTS = ("modules", "files", "compiled")
Counts = dict[str, dict[str, int]]


def measure(stage: Stage) -> Measured:
    """Start each function once, counting, on AWS's adapters and on the local ones."""
    stage.expect(2 * len(FUNCTIONS))
    kinds = (
        ("aws", stage.lambda_runtime, stage.ours),
        ("local", stage.local_runtime, stage.local),
    )
    found: Counts = {}
    for kind, runtime, start in kinds:
        for name in FUNCTIONS:
            with start(name):
                pass  # an interpreter that writes bytecode has done so now
            with start(name, wishes=["count"]) as worker:
                found[f"{kind} {_minor(runtime.version)} {name}"] = {
                    count: int(worker.ready[count]) for count in COUNTS
                }
            stage.advance()
    stage.records["start_counts"] = found
    kept: Counts = json.loads(BASELINE.read_text("utf-8"))
    figures = [
        Figure(
            label=f"{name}: {count}",
            measured=number,
            goal=0 if count == "compiled" else kept.get(name, {}).get(count),
        )
        for name, counts in found.items()
        for count, number in counts.items()
    ]
    unknown = [name for name in found if name not in kept]
    notes = ["The counts to keep to stand in bench/start_counts.json."]
    if unknown:
        notes.append(f"None stand there for {unknown[0]}; take them up.")
    return figures, notes


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


GOAL = Goal("G3", "counts at the start", measure)
