"""Links to evidence files are signed, expire, and are rejected when tampered with."""

import re
from pathlib import Path

import pytest

from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.core.errors import EvidenceUnavailableError
from support.fakes import START, FakeClock
from support.rigs.local_rig import open_file_evidence as build
from support.spies import spy_on_compare_digest

KEY = "SANDBOX1/2026/01/01/f00d/original-0123456789abcdef.jpg"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> FileEvidenceStore:
    return build(tmp_path, clock)


def parts_of(link: str) -> dict[str, str]:
    found = re.fullmatch(
        r"/evidence/(?P<key>[^?]+)\?expires=(?P<expires>\d+)&signature=(?P<signature>\w+)",
        link,
    )
    assert found
    return found.groupdict()


def check(store: FileEvidenceStore, **parts: str) -> bool:
    return store.check_link(
        parts["key"], expires=parts["expires"], signature=parts["signature"]
    )


def test_link_contains_key_expiry_and_signature(store):
    parts = parts_of(store.link(KEY, seconds=300))

    assert parts["key"] == KEY
    assert parts["expires"] == str(int(START.timestamp()) + 300)
    assert re.fullmatch("[0-9a-f]{64}", parts["signature"])
    assert check(store, **parts)


def test_signature_is_compared_in_constant_time(store, monkeypatch):
    parts = parts_of(store.link(KEY, seconds=300))
    compared = spy_on_compare_digest(monkeypatch)

    assert not check(store, **{**parts, "signature": "0" * 64})
    assert compared == [(parts["signature"].encode(), b"0" * 64)]


def test_link_expires_exactly_at_its_end(store, clock):
    parts = parts_of(store.link(KEY, seconds=300))

    clock.sleep(299.999999)
    assert check(store, **parts)
    clock.sleep(0.000001)
    assert not check(store, **parts)


def test_link_never_outlives_the_requested_seconds(store, clock):
    clock.sleep(0.75)
    parts = parts_of(store.link(KEY, seconds=300))
    clock.sleep(300)

    assert not check(store, **parts)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("key", KEY.replace("original", "cropped")),
        ("key", f"{KEY}x"),
        ("key", f"{KEY}\n"),
        ("key", f"x/../{KEY}"),
        ("key", "\ud800"),
        ("expires", ""),
        ("expires", "9999999999"),
        ("expires", "0"),
        ("expires", "-1"),
        ("expires", "１７６７２２５９００"),
        ("expires", "9" * 5000),
        ("expires", "\ud800"),
        ("signature", ""),
        ("signature", "0" * 64),
        ("signature", "\ud800"),
        ("signature", "ü" * 64),
    ],
)
def test_tampered_link_is_rejected(store, part, value):
    parts = parts_of(store.link(KEY, seconds=300))

    assert not check(store, **{**parts, part: value})


@pytest.mark.parametrize("form", ["0{}", " {}", "+{}", "{}.0", "{}\n", "1_{}", "{}e0"])
def test_other_spelling_of_the_expiry_is_rejected(store, form):
    parts = parts_of(store.link(KEY, seconds=300))

    assert not check(store, **{**parts, "expires": form.format(parts["expires"])})


@pytest.mark.parametrize(
    "change", [str.upper, lambda text: text[:-1], lambda text: f"{text}0"]
)
def test_other_spelling_of_the_signature_is_rejected(store, change):
    parts = parts_of(store.link(KEY, seconds=300))

    assert not check(store, **{**parts, "signature": change(parts["signature"])})


def test_digit_cannot_move_from_key_to_expiry(store):
    parts = parts_of(store.link("a1", seconds=300))

    assert not check(store, **{**parts, "key": "a", "expires": f"1{parts['expires']}"})


def test_link_key_survives_a_restart(tmp_path, store, clock):
    before = (tmp_path / "keys" / "link").read_text()
    parts = parts_of(store.link(KEY, seconds=300))

    assert check(build(tmp_path, clock), **parts)
    assert (tmp_path / "keys" / "link").read_text() == before
    assert re.fullmatch("[0-9a-f]{64}", before)


def test_link_of_another_installation_is_rejected(tmp_path, store, clock):
    other = build(tmp_path / "other", clock)

    assert not check(store, **parts_of(other.link(KEY, seconds=300)))


@pytest.mark.parametrize(
    "content", ["", "short", "G" * 64, "a" * 65, "a" * 64 + "\n\n"]
)
def test_malformed_link_key_stops_the_start(tmp_path, content):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "link").write_text(content)

    with pytest.raises(EvidenceUnavailableError) as failure:
        build(tmp_path)

    assert failure.value.__context__ is None
    assert str(tmp_path) not in str(failure.value)
