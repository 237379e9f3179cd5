"""A put to S3 or COS whose response leaves its outcome unclear."""

import hashlib

import pytest

from kycourier.core.errors import EvidenceConflictError
from support.aws.aws_proxy import (
    AwsResponse,
    Script,
    corrupt_body,
    drop_call,
    drop_response,
    perform_then_respond,
    respond,
)
from support.rigs.bucket import KEY, OTHER, PHOTO, UNCLEAR, unavailable
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]

UNDONE: dict[str, Script] = {
    "a condition failed": respond(412),
    "slow down": respond(503),
    "server error": respond(500),
    "bad request": respond(400),
    "redirect": respond(307, b"", ("Location", "http://127.0.0.1:9/")),
    "a response without a tag": respond(200),
    "a dropped call": drop_call,
}
UNDONE_IN_S3 = UNDONE | {
    "a concurrent write": respond(409),
    "a corrupted body": corrupt_body,
}
UNDONE_IN_COS = UNDONE | {
    "a tag of other bytes": respond(200, b"", ("ETag", f'"{"0" * 32}"')),
}
FAULTS = [("in_s3", fault) for fault in UNDONE_IN_S3]
FAULTS += [("in_cos", fault) for fault in UNDONE_IN_COS]
SCRIPTS = UNDONE_IN_S3 | UNDONE_IN_COS
DONE: dict[str, Script] = {
    "but a condition failed": perform_then_respond(412),
    "but slow down": perform_then_respond(503),
    "but no tag": perform_then_respond(200),
    "but a dropped response": drop_response,
}


@pytest.mark.parametrize(("rig", "fault"), FAULTS, indirect=["rig"])
def test_unstored_object_is_put_again_once(rig, fault):
    rig.proxy.plan("PUT", SCRIPTS[fault])

    rig.put()

    assert rig.puts() == 2
    assert rig.read() == PHOTO


@pytest.mark.parametrize(("rig", "fault"), FAULTS, indirect=["rig"])
def test_object_unstored_twice_is_a_failure(rig, fault):
    rig.proxy.plan("PUT", SCRIPTS[fault], SCRIPTS[fault])

    with unavailable(UNCLEAR):
        rig.put()

    assert rig.puts() == 2
    assert rig.store.digest(KEY) is None


@pytest.mark.parametrize("fault", DONE)
def test_stored_object_is_success_without_another_put(rig, fault):
    rig.proxy.plan("PUT", DONE[fault])

    rig.put()

    assert rig.puts() == 1
    assert rig.read() == PHOTO


def test_stored_object_without_a_response_is_success(rig):
    rig.left[0] = 2.9
    rig.proxy.plan("PUT", rig.proxy.hang)

    rig.put()

    assert rig.puts() == 1
    assert rig.read() == PHOTO


def test_unverifiable_put_is_not_repeated(rig):
    rig.proxy.plan("PUT", drop_call)
    if rig.scheme == "cos":  # looks the object up before the put
        rig.proxy.plan("GET", rig.proxy.default_script)
    rig.proxy.plan("GET", respond(503), respond(503))

    with unavailable(UNCLEAR):
        rig.put()

    assert rig.puts() == 1


@pytest.mark.parametrize("fault", UNDONE_IN_S3)
def test_other_bytes_found_after_an_unclear_put_are_a_conflict(in_s3, fault):
    in_s3.overwrite()
    in_s3.proxy.plan("PUT", UNDONE_IN_S3[fault])

    with pytest.raises(EvidenceConflictError) as failure:
        in_s3.put()

    assert failure.value.__context__ is None
    assert in_s3.puts() == 1
    assert in_s3.read() == OTHER


def test_other_bytes_stored_between_two_puts_are_a_conflict(in_s3):
    def overtake(call, forward):
        in_s3.overwrite()
        return forward(call)

    in_s3.proxy.plan("PUT", drop_call, overtake)

    with pytest.raises(EvidenceConflictError):
        in_s3.put()

    assert in_s3.read() == OTHER


def test_other_bytes_stored_by_a_put_to_cos_are_a_conflict(in_cos):
    tag = hashlib.md5(OTHER, usedforsecurity=False).hexdigest()

    def damage(*_):
        in_cos.overwrite()
        return AwsResponse(200, b"", (("ETag", f'"{tag}"'),))

    in_cos.proxy.plan("PUT", damage)

    with pytest.raises(EvidenceConflictError):
        in_cos.put()

    assert in_cos.puts() == 1


def test_object_in_cos_is_read_back_when_its_tag_is_no_digest(in_cos):
    def retag(call, forward):
        response = forward(call)
        headers = [each for each in response.headers if each[0].lower() != "etag"]
        return response._replace(headers=(*headers, ("ETag", '"of-a-key-5"')))

    in_cos.proxy.plan("PUT", retag)

    in_cos.put()

    assert [call.name for call in in_cos.proxy.calls] == ["GET", "PUT", "GET"]


def test_corrupted_bytes_are_not_stored_in_cos(in_cos):
    in_cos.proxy.plan("PUT", corrupt_body)

    with unavailable("denied cos:PutObject on a bucket"):
        in_cos.put()

    assert in_cos.store.digest(KEY) is None
