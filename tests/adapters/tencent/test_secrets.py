"""Secrets in Tencent Cloud SSM: versions, encodings, failures and start checks."""

import json
from contextlib import closing

import pytest

from kycourier.adapters import registry
from kycourier.container import Container
from kycourier.core.errors import (
    SettingError,
    StoreUnavailableError,
    TicketUnavailableError,
)
from kycourier.core.redaction import Secret
from kycourier.settings.resource_url import ResourceUrl
from kycourier.usecases.deadlines import Deadline
from support.aws.aws_proxy import AwsProxy, Script, json_response, respond
from support.fakes import FakeClock
from support.tencent_api_rig import (
    REGION,
    ROLE,
    TencentApiAccount,
    open_secret,
    role_environ,
    tencent_context,
)

pytestmark = pytest.mark.enable_socket
VALUE = "synthetic-app-secret"


def fail(url: str, query: str = "") -> str:
    """Return why a secret cannot be read."""
    with pytest.raises(StoreUnavailableError) as failure:
        open_secret(url, query=query).get()
    assert failure.value.__context__ is None
    assert VALUE not in str(failure.value)
    return failure.value.reason


# versions and encodings


def test_latest_version_is_read(account):
    for number, version in enumerate(["v10", "v9", "SSM_Current"]):
        account.keep(f"value {number}", VersionId=version)

    assert open_secret(account.url).get() == Secret("value 2")


def test_updated_version_is_read(account):
    account.keep("first", VersionId="v1")
    account.set("UpdateSecret", VersionId="v1", SecretString="changed")

    assert open_secret(account.url).get() == Secret("changed")


def test_named_version_is_read_in_one_call(account):
    account.keep("first", VersionId="v1")
    account.keep("second", VersionId="v2")

    assert open_secret(account.url, query="&version=v1").get() == Secret("first")
    assert [call.action for call in account.api.calls] == ["GetSecretValue"]


def test_unnamed_version_has_a_default_name(account):
    account.ssm.call(
        "CreateSecret", {"SecretName": "secret1", "SecretString": VALUE}, REGION
    )

    for query in ("", "&version=SSM_Current"):
        assert open_secret(account.url, query=query).get() == Secret(VALUE)


def list_nothing(code: str = "", status: int = 200) -> Script:
    error = {"Error": {"Code": code, "Message": ""}} if code else {}
    return respond(
        status, json.dumps({"Response": {**error, "RequestId": "1"}}).encode()
    )


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
        ("two\n\n", "two\n"),
    ],
)
def test_trailing_newline_of_text_and_binary_is_dropped(account, kept, secret):
    account.keep(kept)

    assert open_secret(account.url).get() == Secret(secret)


# failures


def test_malformed_binary_is_rejected(account):
    account.keep(b"/w==")
    assert fail(account.url) == "secret is not UTF-8"

    account.set("UpdateSecret", VersionId="v1", SecretBinary="@@")
    assert fail(account.url) == "secret is not Base64"


def test_missing_secret_is_reported_as_missing(account):
    assert fail(account.url) == "no such secret in this region"
    account.keep(VALUE)
    assert fail(account.url, "&version=v2") == "no such secret in this region"


@pytest.mark.parametrize("value", ["\n", b"Cg=="])
def test_empty_secret_tells_to_put_its_value(account, value):
    account.keep(value)

    assert fail(account.url) == "secret is empty: put its value"


def test_secret_without_a_version_is_empty(account):
    account.keep(VALUE)
    account.ssm.secrets[REGION, "secret1"].versions.clear()

    assert fail(account.url) == "secret is empty: put its value"


def test_disabled_or_deleted_secret_is_reported(account):
    account.keep(VALUE)
    account.set("DisableSecret")
    assert fail(account.url) == "secret is disabled"

    account.set("DeleteSecret", RecoveryWindowInDays=7)
    assert fail(account.url) == "secret is about to be deleted"


@pytest.mark.parametrize("action", ["ListSecretVersionIds", "GetSecretValue"])
def test_denied_secret_names_the_permission(action):
    denied = ROLE._replace(denied=frozenset({f"ssm:{action}"}))
    with closing(TencentApiAccount(denied)) as account:
        account.keep(VALUE)

        assert fail(account.url) == f"denied ssm:{action} on a secret"


@pytest.mark.parametrize(
    "members", [{"SecretString": 1}, {"SecretBinary": [VALUE]}, {"SecretString": None}]
)
def test_malformed_response_is_a_failure(account, members):
    account.keep(VALUE)
    with closing(AwsProxy(account.url)) as proxy:
        response = json_response({"Response": {"RequestId": "1", **members}})
        proxy.plan("GetSecretValue", *[lambda *_: response] * 2)

        unfilled = "secret is empty: put its value"
        assert fail(proxy.url) in {"unreadable response", unfilled}


# start checks


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("secret1", "has no region: append ?region=ap-…"),
        ("secret1?region=", "has no region: append ?region=ap-…"),
        ("secret1?region=Guangzhou", "has an invalid region: use one like"),
        ("secret1?region=ap-x/y", "has an invalid region: use one like"),
        ("secret1?region=ap-guangzhou&region=ap-beijing", "takes the parameters"),
        ("secret1?region=ap-guangzhou&token=x", "takes the parameters"),
        ("secret1?region=ap-guangzhou&version=", "has an invalid version"),
        ("a/secret?region=ap-guangzhou", "must be tencent-ssm://name?region=…"),
        ("-secret?region=ap-guangzhou", "must be tencent-ssm://name?region=…"),
        ("?region=ap-guangzhou", "must be tencent-ssm://name?region=…"),
        ("secret1?region=ap-beijing", "no such secret in this region"),
    ],
)
def test_wrong_reference_is_a_setting_error(account, where, why):
    account.keep(VALUE)

    with pytest.raises(SettingError) as failure:
        registry.open_secret(
            "app_secret",
            ResourceUrl("tencent-ssm", where),
            tencent_context(account.url),
        )

    assert failure.value.variable == "KYCOURIER_APP_SECRET"
    assert failure.value.why.startswith(f"cannot be used: {why}")
    assert where not in str(failure.value)


def test_longest_allowed_name_is_accepted(account):
    name = "A" * 126 + "_-"
    account.keep(VALUE, name)

    assert open_secret(account.url, name).get() == Secret(VALUE)


# a foreign ticket


def test_foreign_ticket_is_read_again_after_it_was_rejected(account, tmp_path):
    account.keep("first", VersionId="v1")
    environ = {
        **role_environ(account.url),
        "KYCOURIER_APP_ID": "SANDBOX1",
        "KYCOURIER_STATE": f"sqlite:///{tmp_path}/state.db",
        "KYCOURIER_TICKET": f"tencent-ssm://secret1?region={REGION}",
    }
    parts, clock = Container("test", environ, {"app_id"}), FakeClock()
    left = Deadline(clock.monotonic, seconds=60)
    refused = parts.tickets.current(left)
    assert refused.value == Secret("first")

    with pytest.raises(TicketUnavailableError):
        parts.tickets.renew(refused, left)
    account.keep('{"ticket": "second"}', VersionId="v2")

    assert parts.tickets.renew(refused, left).value == Secret("second")
