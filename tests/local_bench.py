"""What the tests of the local adapters share."""

import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from fakes import START, FakeClock
from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.core import order as rules
from kycourier.core.models import Document, OrderKey
from kycourier.core.order_record import OrderRecord

APP = "SANDBOX1"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def draft(order_no: str = "order1") -> OrderRecord:
    return rules.draft(
        OrderKey(APP, order_no),
        document=Document.BANK_CARD,
        now=START,
        ttl=timedelta(hours=48),
        first_sweep=timedelta(0),
    )


def build_evidence(folder: Path, clock: FakeClock | None = None) -> FileEvidenceStore:
    return FileEvidenceStore(
        folder / "evidence",
        link_key=folder / "keys" / "link",
        clock=clock or FakeClock(),
    )
