"""The contract of EvidenceStore, held to by every implementation."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import pytest

from aws.edges import new_bucket, open_evidence
from fakes import FakeClock, MemoryEvidenceStore
from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.core.errors import EvidenceConflict, EvidenceUnavailable
from kycourier.ports import EvidenceStore
from stand_ins import IN_CLOUD
from tencent import account as tencent


class Bench(NamedTuple):
    """A store, and a way to make a link of 300 s that ends a second later.

    One that `compares` refuses other bytes also at the very moment it is written.
    """

    store: EvidenceStore
    link_later: Callable[[str], str]
    compares: bool = True


def build_memory(_: pytest.FixtureRequest) -> Bench:
    clock = FakeClock()
    return on_a_clock(MemoryEvidenceStore(clock), clock)


def build_file(request: pytest.FixtureRequest) -> Bench:
    folder, clock = request.getfixturevalue("tmp_path"), FakeClock()
    store = FileEvidenceStore(
        folder / "evidence", link_key=folder / "link.key", clock=clock
    )
    return on_a_clock(store, clock)


def build_s3(request: pytest.FixtureRequest) -> Bench:
    moto = request.getfixturevalue("moto")
    store = open_evidence(moto, f"{new_bucket(moto)}/some/prefix")
    return Bench(store, lambda key: store.link(key, seconds=301))  # by its own clock


def build_cos(request: pytest.FixtureRequest) -> Bench:
    cos = request.getfixturevalue("cos")
    store = tencent.open_evidence(cos.url, f"{tencent.new_bucket(cos)}/some/prefix")
    later = lambda key: store.link(key, seconds=301)  # noqa: E731 - by its own clock
    return Bench(store, later, compares=False)


def on_a_clock(store: EvidenceStore, clock: FakeClock) -> Bench:
    def link_later(key: str) -> str:
        clock.sleep(1)
        return store.link(key, seconds=300)

    return Bench(store, link_later)


BUILD = {"memory": build_memory, "file": build_file, "s3": build_s3, "cos": build_cos}
KINDS = [
    "memory",
    "file",
    pytest.param("s3", marks=IN_CLOUD),
    pytest.param("cos", marks=IN_CLOUD),
]
KEY = "SANDBOX1/2026/01/01/f00d/original-0123456789abcdef.jpg"
PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 9


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return BUILD[request.param](request)


@pytest.fixture
def evidence(bench: Bench) -> EvidenceStore:
    return bench.store


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(evidence: EvidenceStore, key: str = KEY, content: bytes = PHOTO) -> None:
    evidence.put(key, content, sha256=sha256(content), media_type="image/jpeg")


def read(evidence: EvidenceStore, key: str = KEY) -> bytes:
    with evidence.open(key) as file:
        return file.read()


@pytest.mark.parametrize("content", [PHOTO, b"", b"{}\n", bytes(3_000_000)])
def test_object_is_stored_to_the_byte(evidence, content):
    put(evidence, KEY, content)

    assert read(evidence) == content
    assert evidence.digest(KEY) == sha256(content)


def test_same_bytes_again_are_success(evidence):
    put(evidence)
    put(evidence)

    assert read(evidence) == PHOTO
    assert list(evidence.list("SANDBOX1")) == [KEY]


@pytest.mark.parametrize("other", [PHOTO[:-1], PHOTO + b"\n", b""])
def test_other_bytes_are_a_conflict_and_the_first_stand(evidence, other):
    put(evidence)

    with pytest.raises(EvidenceConflict):
        put(evidence, KEY, other)

    assert read(evidence) == PHOTO


def test_one_of_many_at_once_is_stored_and_the_rest_conflict(bench, at_once):
    """Where a store cannot compare as it writes, one of those that were told so."""
    evidence = bench.store

    def store(worker: int) -> bytes | None:
        content = bytes([worker]) * 10_000
        try:
            put(evidence, KEY, content)
        except EvidenceConflict:
            return None
        return content

    stored = [content for content in at_once(store) if content]

    assert stored == [read(evidence)] or not bench.compares
    assert read(evidence) in stored


def test_many_with_the_same_bytes_at_once_all_succeed(evidence, at_once):
    at_once(lambda _: put(evidence))

    assert list(evidence.list("SANDBOX1")) == [KEY]


def test_digest_of_no_object_is_none(evidence):
    put(evidence)

    assert evidence.digest(f"{KEY}2") is None
    assert evidence.digest("SANDBOX1/2026/01/02/none.jpg") is None


def test_opening_no_object_is_refused(evidence):
    with pytest.raises(EvidenceUnavailable) as failure:
        evidence.open(KEY)

    assert failure.value.__context__ is None


def test_list_gives_the_keys_below_the_folder_and_no_others(evidence):
    keys = ["a/b/1.jpg", "a/b/c/2.jpg", "a/b/c/d/3.json"]
    for key in [*keys, "a/bc/4.jpg", "a/b-5.jpg", "b/a/b/6.jpg", "a/a/7.jpg"]:
        put(evidence, key)

    assert sorted(evidence.list("a/b")) == keys
    assert sorted(evidence.list("a/b/c")) == keys[1:]


def test_list_of_a_folder_that_is_not_there_is_empty(evidence):
    assert list(evidence.list("a/b")) == []


def test_link_leads_to_the_object_and_changes_as_its_end_does(bench):
    link = bench.store.link(KEY, seconds=300)

    assert KEY in link
    assert bench.link_later(KEY) != link
