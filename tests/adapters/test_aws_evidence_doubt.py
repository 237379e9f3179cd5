"""An object in S3 after every answer that leaves doubt."""

import pytest

from aws.bucket import (
    KEY,
    OTHER,
    PHOTO,
    UNCLEAR,
    assert_told,
    put,
    put_as_another,
    read,
)
from aws.edges import open_evidence
from aws.proxy import Play, answering, cut, done_then, done_then_cut, flipping_a_bit
from kycourier.core.errors import EvidenceConflict, EvidenceUnavailable
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]

UNDONE: dict[str, Play] = {
    "another writes just now": answering(409),
    "a condition failed": answering(412),
    "slow down": answering(503),
    "server error": answering(500),
    "bad request": answering(400),
    "redirect": answering(307, b"", ("Location", "http://127.0.0.1:9/")),
    "an answer without a tag": answering(200),
    "cut": cut,
    "a bit flipped on the way": flipping_a_bit,
}
DONE: dict[str, Play] = {
    "but another writes just now": done_then(409),
    "but a condition failed": done_then(412),
    "but slow down": done_then(503),
    "but cut": done_then_cut,
}


@pytest.mark.parametrize("fault", UNDONE)
def test_object_that_did_not_arrive_is_put_again_once(
    store, proxy, moto, bucket, fault
):
    proxy.plan("PUT", UNDONE[fault])

    put(store)

    assert len(proxy.named("PUT")) == 2
    assert read(moto, bucket) == PHOTO


@pytest.mark.parametrize("fault", UNDONE)
def test_object_that_did_not_arrive_twice_is_a_failure(store, proxy, fault):
    proxy.plan("PUT", UNDONE[fault], UNDONE[fault])

    with pytest.raises(EvidenceUnavailable) as failure:
        put(store)

    assert_told(failure, UNCLEAR)
    assert len(proxy.named("PUT")) == 2
    assert store.digest(KEY) is None


@pytest.mark.parametrize("fault", DONE)
def test_object_that_did_arrive_is_success_and_not_put_again(
    store, proxy, moto, bucket, fault
):
    proxy.plan("PUT", DONE[fault])

    put(store)

    assert len(proxy.named("PUT")) == 1
    assert read(moto, bucket) == PHOTO


def test_object_that_arrived_while_the_answer_did_not_is_success(proxy, moto, bucket):
    store = open_evidence(proxy.url, f"{bucket}/some/prefix", left=2.9)
    proxy.plan("PUT", proxy.hang)

    put(store)

    assert len(proxy.named("PUT")) == 1
    assert read(moto, bucket) == PHOTO


@pytest.mark.parametrize("fault", UNDONE)
def test_other_bytes_found_in_doubt_are_a_conflict_and_stand(
    store, proxy, moto, bucket, fault
):
    put_as_another(moto, bucket)
    proxy.plan("PUT", UNDONE[fault])

    with pytest.raises(EvidenceConflict) as failure:
        put(store)

    assert failure.value.__context__ is None
    assert len(proxy.named("PUT")) == 1
    assert read(moto, bucket) == OTHER


def test_other_bytes_that_come_between_two_puts_are_a_conflict(
    store, proxy, moto, bucket
):
    def lose_the_race(call, forward):
        put_as_another(moto, bucket)
        return forward(call)

    proxy.plan("PUT", cut, lose_the_race)

    with pytest.raises(EvidenceConflict):
        put(store)

    assert read(moto, bucket) == OTHER


def test_doubt_that_cannot_be_settled_puts_nothing_again(store, proxy):
    proxy.plan("PUT", cut)
    proxy.plan("GET", answering(503), answering(503))

    with pytest.raises(EvidenceUnavailable) as failure:
        put(store)

    assert_told(failure, UNCLEAR)
    assert len(proxy.named("PUT")) == 1
