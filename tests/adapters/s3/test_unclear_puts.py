"""A put to S3 whose response leaves its outcome unclear."""

import pytest

from kycourier.core.errors import EvidenceConflictError, EvidenceUnavailableError
from support.aws.aws_proxy import (
    Script,
    corrupt_body,
    drop_call,
    drop_response,
    perform_then_respond,
    respond,
)
from support.aws.s3_objects import (
    KEY,
    OTHER,
    PHOTO,
    UNCLEAR,
    assert_failure,
    put_directly,
    put_object,
    read_object,
)
from support.aws.services import open_evidence
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]

UNDONE: dict[str, Script] = {
    "a concurrent write": respond(409),
    "a condition failed": respond(412),
    "slow down": respond(503),
    "server error": respond(500),
    "bad request": respond(400),
    "redirect": respond(307, b"", ("Location", "http://127.0.0.1:9/")),
    "a response without a tag": respond(200),
    "a dropped call": drop_call,
    "a corrupted body": corrupt_body,
}
DONE: dict[str, Script] = {
    "but a concurrent write": perform_then_respond(409),
    "but a condition failed": perform_then_respond(412),
    "but slow down": perform_then_respond(503),
    "but a dropped response": drop_response,
}


@pytest.mark.parametrize("fault", UNDONE)
def test_unstored_object_is_put_again_once(store, proxy, moto, bucket, fault):
    proxy.plan("PUT", UNDONE[fault])

    put_object(store)

    assert len(proxy.calls_to("PUT")) == 2
    assert read_object(moto, bucket) == PHOTO


@pytest.mark.parametrize("fault", UNDONE)
def test_object_unstored_twice_is_a_failure(store, proxy, fault):
    proxy.plan("PUT", UNDONE[fault], UNDONE[fault])

    with pytest.raises(EvidenceUnavailableError) as failure:
        put_object(store)

    assert_failure(failure, UNCLEAR)
    assert len(proxy.calls_to("PUT")) == 2
    assert store.digest(KEY) is None


@pytest.mark.parametrize("fault", DONE)
def test_stored_object_is_success_without_another_put(
    store, proxy, moto, bucket, fault
):
    proxy.plan("PUT", DONE[fault])

    put_object(store)

    assert len(proxy.calls_to("PUT")) == 1
    assert read_object(moto, bucket) == PHOTO


def test_stored_object_without_a_response_is_success(proxy, moto, bucket):
    store = open_evidence(proxy.url, f"{bucket}/some/prefix", left=2.9)
    proxy.plan("PUT", proxy.hang)

    put_object(store)

    assert len(proxy.calls_to("PUT")) == 1
    assert read_object(moto, bucket) == PHOTO


@pytest.mark.parametrize("fault", UNDONE)
def test_other_bytes_found_after_an_unclear_put_are_a_conflict(
    store, proxy, moto, bucket, fault
):
    put_directly(moto, bucket)
    proxy.plan("PUT", UNDONE[fault])

    with pytest.raises(EvidenceConflictError) as failure:
        put_object(store)

    assert failure.value.__context__ is None
    assert len(proxy.calls_to("PUT")) == 1
    assert read_object(moto, bucket) == OTHER


def test_other_bytes_stored_between_two_puts_are_a_conflict(store, proxy, moto, bucket):
    def overtake(call, forward):
        put_directly(moto, bucket)
        return forward(call)

    proxy.plan("PUT", drop_call, overtake)

    with pytest.raises(EvidenceConflictError):
        put_object(store)

    assert read_object(moto, bucket) == OTHER


def test_unverifiable_put_is_not_repeated(store, proxy):
    proxy.plan("PUT", drop_call)
    proxy.plan("GET", respond(503), respond(503))

    with pytest.raises(EvidenceUnavailableError) as failure:
        put_object(store)

    assert_failure(failure, UNCLEAR)
    assert len(proxy.calls_to("PUT")) == 1
