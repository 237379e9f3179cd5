"""Secrets in Tencent Cloud SSM: versions, encodings and failures."""

import json
from contextlib import closing

import pytest

from kycourier.adapters.registry import UnwrappedSecret
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret
from support.aws.aws_proxy import AwsProxy, Script, json_response, respond
from support.tencent_api_rig import REGION, open_secret

pytestmark = pytest.mark.enable_socket
VALUE = "synthetic-app-secret"
EMPTY = "secret is empty: put its value"


def read(url: str) -> Secret:
    """Read the secret as a setting does."""
    return UnwrappedSecret(open_secret(url), None).get()


def fail(url: str) -> str:
    """Return why the secret cannot be read."""
    with pytest.raises(StoreUnavailableError) as failure:
        read(url)
    assert failure.value.__context__ is None
    assert VALUE not in str(failure.value)
    return failure.value.reason


# versions and encodings


def test_latest_version_is_read(account):
    for number, version in enumerate(["v10", "v9", "SSM_Current"]):
        account.keep(f"value {number}", VersionId=version)

    assert open_secret(account.url).get() == Secret("value 2")


def test_named_version_is_read_in_one_call(account):
    account.keep("first", VersionId="v1")
    account.keep("second", VersionId="v2")

    assert open_secret(account.url, query="&version=v1").get() == Secret("first")
    assert [call.action for call in account.api.calls] == ["GetSecretValue"]


def test_unnamed_version_of_the_longest_name_has_a_default_name(account):
    name = "A" * 126 + "_-"
    secret = {"SecretName": name, "SecretString": VALUE}
    account.ssm.call("CreateSecret", secret, REGION)

    for query in ("", "&version=SSM_Current"):
        assert open_secret(account.url, name, query).get() == Secret(VALUE)


def list_nothing(code: str = "", status: int = 200) -> Script:
    error = {"Error": {"Code": code, "Message": ""}} if code else {}
    response = {"Response": {**error, "RequestId": "1"}}
    return respond(status, json.dumps(response).encode())


@pytest.mark.parametrize(
    "script",
    [
        list_nothing("InvalidAction"),
        list_nothing("UnsupportedOperation", 400),
        list_nothing(),
        respond(404),
    ],
)
def test_default_version_is_read_when_listing_is_unsupported(account, script):
    with closing(AwsProxy(account.url)) as proxy:
        proxy.plan("ListSecretVersionIds", *[script] * 4)
        assert fail(proxy.url) == "no such secret in this region"
        account.keep(VALUE, VersionId="SSM_Current")

        assert open_secret(proxy.url).get() == Secret(VALUE)


@pytest.mark.parametrize(
    ("kept", "secret"),
    [
        (b"c3ludGhldGljLWFwcC1zZWNyZXQ=", VALUE),
        (b"5Yet5o2uCg==", "\u51ed\u636e"),
        ("a line\n", "a line"),
        ('{"app-secret":"two\\n"}', "two"),
    ],
)
def test_text_and_binary_are_read_without_what_consoles_add(account, kept, secret):
    account.keep(kept)

    assert read(account.url) == Secret(secret)


# failures


def test_malformed_binary_is_rejected(account):
    account.keep(b"/w==")
    assert fail(account.url) == "secret is not UTF-8"

    account.set("UpdateSecret", VersionId="v1", SecretBinary="@@")
    assert fail(account.url) == "secret is not Base64"


@pytest.mark.parametrize("value", ["\n", b"Cg=="])
def test_newline_is_an_empty_secret(account, value):
    account.keep(value)

    assert fail(account.url) == EMPTY


def test_secret_without_a_version_is_empty(account):
    account.keep(VALUE)
    account.ssm.secrets[REGION, "secret1"].versions.clear()

    assert fail(account.url) == EMPTY


def test_disabled_or_deleted_secret_is_reported(account):
    account.keep(VALUE)
    account.set("DisableSecret")
    assert fail(account.url) == "secret is disabled"

    account.set("DeleteSecret", RecoveryWindowInDays=7)
    assert fail(account.url) == "secret is about to be deleted"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"SecretString": 1}, "unreadable response"),
        ({"SecretBinary": [VALUE]}, "unreadable response"),
        ({"SecretString": None}, EMPTY),
    ],
)
def test_malformed_response_is_a_failure(account, members, reason):
    account.keep(VALUE)
    with closing(AwsProxy(account.url)) as proxy:
        response = json_response({"Response": {"RequestId": "1", **members}})
        proxy.plan("GetSecretValue", *[lambda *_: response] * 2)

        assert fail(proxy.url) == reason
