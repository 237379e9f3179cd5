"""What the tests of the local adapters share."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from fakes import FakeClock
from kycourier.adapters.local.evidence import FileEvidenceStore


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def build_evidence(folder: Path, clock: FakeClock | None = None) -> FileEvidenceStore:
    return FileEvidenceStore(
        folder / "evidence",
        link_key=folder / "keys" / "link",
        clock=clock or FakeClock(),
    )
