"""Watch calls of the system that leave no other trace; each is made all the same."""

import hmac
import os
from pathlib import Path

import pytest


def watch_flushes(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> list[tuple[int, bool]]:
    """List the inodes flushed to the disk from now on, and whether `path` was there."""
    flushed, fsync = [], os.fsync

    def flush(handle: int) -> None:
        fsync(handle)
        flushed.append((os.fstat(handle).st_ino, path.exists()))

    monkeypatch.setattr(os, "fsync", flush)
    return flushed


def watch_comparisons(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, object]]:
    """List what is compared in constant time from now on."""
    compared, compare_digest = [], hmac.compare_digest

    def compare(ours: object, sent: object) -> bool:
        compared.append((ours, sent))
        return compare_digest(ours, sent)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    return compared
