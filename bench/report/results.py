"""The results of a run, as stored in bench/results.json."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.measure.figures import GoalReport
from bench.report.json_files import write_json

FILE = Path(__file__).parents[1] / "results.json"


class Results(Struct, frozen=True, kw_only=True):
    """A run: its date, its machine and all figures. `remarks` are written by hand."""

    date: str
    machine: str
    load_at_start: float
    seconds: int
    versions: Mapping[str, str]
    emulators: Mapping[str, Mapping[str, float]]
    reports: Sequence[GoalReport]
    remarks: Sequence[str] = ()


def write_results(results: Results, file: Path = FILE) -> None:
    """Stores a run."""
    write_json(file, results)


def read_results(file: Path = FILE) -> Results:
    """Reads the stored run."""
    return msgspec.json.decode(file.read_bytes(), type=Results)
