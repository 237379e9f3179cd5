"""Our Signature Version 4 equals the SDK's."""

from datetime import datetime, timezone

import pytest
from botocore import auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from kycourier.adapters.aws.credentials import AwsCredentials, mute_sdk
from kycourier.adapters.aws.signature import sign_post

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
KEYS = st.text("ABCDEFabcdef0123456789+/=", min_size=16, max_size=40)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1))  # noqa: DTZ001 - Hypothesis wants naive bounds
PATHS = st.lists(WORD, max_size=3).map(lambda names: "/" + "/".join(names))


@pytest.fixture(scope="module")
def at():
    """Set the SDK's clock; mute the SDK, which logs what it signs at DEBUG."""
    mute_sdk()
    with pytest.MonkeyPatch.context() as patch:
        yield lambda now: patch.setattr(
            auth, "get_current_datetime", lambda **_: now.replace(tzinfo=None)
        )


@given(
    body=st.binary(max_size=200),
    path=PATHS,
    scope=st.fixed_dictionaries({"service": WORD, "region": WORD}),
    whose=st.builds(AwsCredentials, KEYS, KEYS, st.none() | KEYS),
    moment=MOMENTS,
)
def test_request_is_signed_as_the_sdk_signs_it(at, body, path, scope, whose, moment):
    now = moment.replace(tzinfo=timezone.utc)
    headers = {
        "Host": "service.example:8443",
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "Service_20120810.Operation",
    }
    at(now)
    url = f"https://service.example:8443{path}"
    request = AWSRequest("POST", url, headers=headers, data=body)
    credentials = ReadOnlyCredentials(whose.key_id, whose.key, whose.token)
    SigV4Auth(credentials, scope["service"], scope["region"]).add_auth(request)

    signed = sign_post(headers, body, path=path, credentials=whose, now=now, **scope)

    assert signed == dict(request.headers.items())
