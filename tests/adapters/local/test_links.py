"""Links to evidence files are signed, expire, and are rejected when tampered with."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.core.errors import EvidenceUnavailableError
from support.fakes import START, FakeClock
from support.rigs.local_rig import open_file_evidence
from support.spies import spy_on_compare_digest

KEY = "SANDBOX1/2026/01/01/f00d/original-0123456789abcdef.jpg"
THREADS = 8
Parts = dict[str, str]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> FileEvidenceStore:
    return open_file_evidence(tmp_path, clock)


def link_parts(store: FileEvidenceStore, key: str = KEY) -> Parts:
    """Return the parts of a link that is valid for 300 seconds."""
    found = re.fullmatch(
        r"/evidence/(?P<key>[^?]+)\?expires=(?P<expires>\d+)&signature=(?P<signature>\w+)",
        store.link(key, seconds=300),
    )
    assert found
    return found.groupdict()


def check(store: FileEvidenceStore, parts: Parts, **changes: str) -> bool:
    parts = parts | changes
    return store.check_link(
        parts["key"], expires=parts["expires"], signature=parts["signature"]
    )


def test_link_contains_key_expiry_and_signature(store):
    parts = link_parts(store)

    assert parts["key"] == KEY
    assert parts["expires"] == str(int(START.timestamp()) + 300)
    assert re.fullmatch("[0-9a-f]{64}", parts["signature"])
    assert check(store, parts)


def test_signature_is_compared_in_constant_time(store, monkeypatch):
    parts = link_parts(store)
    compared = spy_on_compare_digest(monkeypatch)

    assert not check(store, parts, signature="0" * 64)
    assert compared == [(parts["signature"].encode(), b"0" * 64)]


def test_link_expires_exactly_at_its_end(store, clock):
    parts = link_parts(store)

    clock.sleep(299.999999)
    assert check(store, parts)
    clock.sleep(0.000001)
    assert not check(store, parts)


def test_link_never_outlives_the_requested_seconds(store, clock):
    clock.sleep(0.75)
    parts = link_parts(store)
    clock.sleep(300)

    assert not check(store, parts)


OTHER_PARTS: dict[str, list[str | Callable[[str], str]]] = {
    "key": [
        KEY.replace("original", "cropped"),
        f"{KEY}x", f"{KEY}\n", f"x/../{KEY}", "\ud800",
    ],
    "expires": [
        "", "0", "-1", "9999999999", "9" * 5000, "１７６７２２５９００", "\ud800",
        *(f.format for f in ("0{}", " {}", "+{}", "{}.0", "{}\n", "1_{}", "{}e0")),
    ],
    "signature": [
        "", "0" * 64, "\ud800", "ü" * 64,
        str.upper, lambda text: text[:-1], "{}0".format,
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "other"),
    [(part, other) for part, others in OTHER_PARTS.items() for other in others],
)
def test_tampered_link_is_rejected(store, part, other):
    parts = link_parts(store)

    changed = other(parts[part]) if callable(other) else other
    assert not check(store, parts, **{part: changed})


def test_digit_cannot_move_from_key_to_expiry(store):
    parts = link_parts(store, "a1")

    assert not check(store, parts, key="a", expires=f"1{parts['expires']}")


def test_link_key_survives_a_restart(tmp_path, store, clock):
    before = (tmp_path / "keys" / "link").read_text()

    assert check(open_file_evidence(tmp_path, clock), link_parts(store))
    assert (tmp_path / "keys" / "link").read_text() == before
    assert re.fullmatch("[0-9a-f]{64}", before)


def test_concurrent_starts_share_one_link_key(tmp_path, clock):
    barrier = threading.Barrier(THREADS)

    def start(_: int) -> FileEvidenceStore:
        barrier.wait()
        return open_file_evidence(tmp_path, clock)

    with ThreadPoolExecutor(THREADS) as threads:
        stores = list(threads.map(start, range(THREADS)))

    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["link"]
    assert all(check(stores[0], link_parts(each)) for each in stores)


def test_link_of_another_installation_is_rejected(tmp_path, store, clock):
    other = open_file_evidence(tmp_path / "other", clock)

    assert not check(store, link_parts(other))


@pytest.mark.parametrize(
    "content", ["", "short", "G" * 64, "a" * 65, "a" * 64 + "\n\n"]
)
def test_malformed_link_key_stops_the_start(tmp_path, content):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "link").write_text(content)

    with pytest.raises(EvidenceUnavailableError) as failure:
        open_file_evidence(tmp_path)

    assert failure.value.__context__ is None
    assert str(tmp_path) not in str(failure.value)
