"""Records calls that leave no other trace; each call is still made."""

import hmac
import os
from pathlib import Path

import pytest


def spy_on_fsync(monkeypatch: pytest.MonkeyPatch, path: Path) -> list[tuple[int, bool]]:
    """Return a growing list of flushed inodes, each with whether `path` existed."""
    flushed, fsync = [], os.fsync

    def flush(handle: int) -> None:
        fsync(handle)
        flushed.append((os.fstat(handle).st_ino, path.exists()))

    monkeypatch.setattr(os, "fsync", flush)
    return flushed


def spy_on_compare_digest(
    monkeypatch: pytest.MonkeyPatch,
) -> list[tuple[object, object]]:
    """Return a growing list of the pairs compared in constant time."""
    compared, compare_digest = [], hmac.compare_digest

    def compare(ours: object, sent: object) -> bool:
        compared.append((ours, sent))
        return compare_digest(ours, sent)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    return compared
