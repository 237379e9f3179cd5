"""G3: modules loaded, files opened and modules compiled by a start."""

import json
from collections.abc import Mapping
from pathlib import Path

from bench.environment.bench_environment import BenchEnvironment
from bench.goals.goal import Goal, Measured
from bench.measure.figures import Figure
from bench.report.json_files import write_json

BASELINE = Path(__file__).parents[2] / "start_counts.json"
FUNCTIONS = ("collect_results", "orders_api", "refresh_ticket", "sweep_orders")
COUNTS = ("modules", "files", "compiled")
Counts = dict[str, dict[str, int]]


def measure(environment: BenchEnvironment) -> Measured:
    """Starts each function once and count, on the AWS and on the local adapters."""
    environment.on_total(2 * len(FUNCTIONS))
    kinds = (
        ("aws", environment.lambda_runtime, environment.start_service),
        ("local", environment.local_runtime, environment.start_local_service),
    )
    found: Counts = {}
    for kind, runtime, start in kinds:
        for name in FUNCTIONS:
            with start(name):
                pass  # the interpreter writes missing bytecode here
            with start(name, options=["count"]) as worker:
                found[f"{kind} {_minor(runtime.version)} {name}"] = {
                    count: int(worker.startup[count]) for count in COUNTS
                }
            environment.on_round()
    environment.start_counts = found
    baseline: Counts = json.loads(BASELINE.read_text("utf-8"))
    figures = [
        Figure(
            label=f"{name}: {count}",
            measured=number,
            goal=0 if count == "compiled" else baseline.get(name, {}).get(count),
        )
        for name, counts in found.items()
        for count, number in counts.items()
    ]
    notes = ["The baseline is bench/start_counts.json."]
    missing = [name for name in found if name not in baseline]
    if missing:
        notes.append(f"It has no counts for {missing[0]}: run with --start-counts.")
    return figures, notes


def save_baseline(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Makes these counts the ones that later runs must not exceed."""
    write_json(BASELINE, counts)


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


GOAL = Goal("G3", "counts at the start", measure)
