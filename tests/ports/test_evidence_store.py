"""The contract of EvidenceStore, run on every implementation."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import pytest

from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.core.errors import EvidenceConflictError, EvidenceUnavailableError
from kycourier.ports import EvidenceStore
from support import tencent_api_rig as tencent
from support.aws.services import new_bucket, open_evidence
from support.fakes import FakeClock, MemoryEvidenceStore
from support.servers.emulators import EMULATOR_MARKS


class EvidenceRig(NamedTuple):
    """A store; `link_later` returns a link that expires a second later.

    A cloud's store signs by its own clock, so its link lasts longer instead.
    If `compares`, the store detects other bytes even in concurrent puts.
    """

    store: EvidenceStore
    link_later: Callable[[str], str]
    compares: bool = True


def build_memory(_: pytest.FixtureRequest) -> EvidenceRig:
    clock = FakeClock()
    return on_a_clock(MemoryEvidenceStore(clock), clock)


def build_file(request: pytest.FixtureRequest) -> EvidenceRig:
    folder, clock = request.getfixturevalue("tmp_path"), FakeClock()
    store = FileEvidenceStore(
        folder / "evidence", link_key=folder / "link.key", clock=clock
    )
    return on_a_clock(store, clock)


def build_s3(request: pytest.FixtureRequest) -> EvidenceRig:
    moto = request.getfixturevalue("moto")
    store = open_evidence(moto, f"{new_bucket(moto)}/some/prefix")
    return EvidenceRig(store, lambda key: store.link(key, seconds=301))


def build_cos(request: pytest.FixtureRequest) -> EvidenceRig:
    cos = request.getfixturevalue("cos")
    store = tencent.open_evidence(cos.url, f"{tencent.new_bucket(cos)}/some/prefix")
    return EvidenceRig(store, lambda key: store.link(key, seconds=301), compares=False)


def on_a_clock(store: EvidenceStore, clock: FakeClock) -> EvidenceRig:
    def link_later(key: str) -> str:
        clock.sleep(1)
        return store.link(key, seconds=300)

    return EvidenceRig(store, link_later)


BUILD = {"memory": build_memory, "file": build_file, "s3": build_s3, "cos": build_cos}
KINDS = [
    "memory",
    "file",
    pytest.param("s3", marks=EMULATOR_MARKS),
    pytest.param("cos", marks=EMULATOR_MARKS),
]
THREADS = 8
KEY = "SANDBOX1/2026/01/01/f00d/original-0123456789abcdef.jpg"
PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 9


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest) -> EvidenceRig:
    return BUILD[request.param](request)


@pytest.fixture
def evidence(rig: EvidenceRig) -> EvidenceStore:
    return rig.store


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(evidence: EvidenceStore, key: str = KEY, content: bytes = PHOTO) -> None:
    evidence.put(key, content, sha256=sha256(content), media_type="image/jpeg")


def read(evidence: EvidenceStore, key: str = KEY) -> bytes:
    with evidence.open(key) as file:
        return file.read()


@pytest.mark.parametrize("content", [PHOTO, b"", b"{}\n", bytes(3_000_000)])
def test_object_is_stored_unchanged(evidence, content):
    put(evidence, KEY, content)

    assert read(evidence) == content
    assert evidence.digest(KEY) == sha256(content)


def test_putting_the_same_bytes_again_succeeds(evidence):
    put(evidence)
    put(evidence)

    assert read(evidence) == PHOTO
    assert list(evidence.list("SANDBOX1")) == [KEY]


@pytest.mark.parametrize("other", [PHOTO[:-1], PHOTO + b"\n", b""])
def test_putting_other_bytes_is_a_conflict_and_keeps_the_first(evidence, other):
    put(evidence)

    with pytest.raises(EvidenceConflictError):
        put(evidence, KEY, other)

    assert read(evidence) == PHOTO


def test_one_of_many_concurrent_puts_wins_and_others_conflict(rig, winners):
    """Without `compares` several puts may succeed; one of them is then stored."""
    contents = [bytes([worker]) * 10_000 for worker in range(THREADS)]

    won = winners(lambda worker: put(rig.store, KEY, contents[worker]))

    stored = contents.index(read(rig.store))
    assert won == [stored] or not rig.compares
    assert stored in won


def test_concurrent_puts_of_the_same_bytes_succeed(evidence, at_once):
    at_once(lambda _: put(evidence))

    assert list(evidence.list("SANDBOX1")) == [KEY]


def test_digest_of_a_missing_object_is_none(evidence):
    put(evidence)

    assert evidence.digest(f"{KEY}2") is None
    assert evidence.digest("SANDBOX1/2026/01/02/none.jpg") is None


def test_opening_a_missing_object_fails(evidence):
    with pytest.raises(EvidenceUnavailableError) as failure:
        evidence.open(KEY)

    assert failure.value.__context__ is None


def test_list_returns_only_keys_below_the_folder(evidence):
    keys = ["a/b/1.jpg", "a/b/c/2.jpg", "a/b/c/d/3.json"]
    for key in [*keys, "a/bc/4.jpg", "a/b-5.jpg", "b/a/b/6.jpg", "a/a/7.jpg"]:
        put(evidence, key)

    assert sorted(evidence.list("a/b")) == keys
    assert sorted(evidence.list("a/b/c")) == keys[1:]


def test_list_of_a_missing_folder_is_empty(evidence):
    assert list(evidence.list("a/b")) == []


def test_link_contains_the_key_and_depends_on_its_expiry(rig):
    link = rig.store.link(KEY, seconds=300)

    assert KEY in link
    assert rig.link_later(KEY) != link
