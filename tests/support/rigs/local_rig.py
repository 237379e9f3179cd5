"""Opens local evidence stores, and reads file modes and SQLite pragmas."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from kycourier.adapters.local.evidence import FileEvidenceStore
from support.fakes import FakeClock


def file_mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def read_pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def open_file_evidence(
    folder: Path, clock: FakeClock | None = None
) -> FileEvidenceStore:
    return FileEvidenceStore(
        folder / "evidence",
        link_key=folder / "keys" / "link",
        clock=clock or FakeClock(),
    )
