"""What only secrets in Tencent Cloud have: versions, forms, and why there is none."""

import json
from contextlib import closing

import pytest

from aws.proxy import AwsProxy, Play, answer_json, answering
from fakes import FakeClock
from kycourier.adapters import places
from kycourier.assembly import Assembly
from kycourier.core.errors import SettingError, StoreUnavailable, TicketUnavailable
from kycourier.core.hidden import Secret
from kycourier.setting_forms import Place
from kycourier.usecases.time_left import TimeLeft
from tencent.account import REGION, ROLE, Account, around, open_secret, role_environ

pytestmark = pytest.mark.enable_socket
VALUE = "synthetic-app-secret"


def fail(url: str, query: str = "") -> str:
    """Give why a secret cannot be read."""
    with pytest.raises(StoreUnavailable) as failure:
        open_secret(url, query=query).load()
    assert failure.value.__context__ is None
    assert VALUE not in str(failure.value)
    return failure.value.reason


# which version, in which form


def test_the_version_made_last_is_read(account):
    for number, version in enumerate(["v10", "v9", "SSM_Current"]):
        account.keep(f"value {number}", VersionId=version)

    assert open_secret(account.url).load() == Secret("value 2")


def test_a_version_that_was_changed_is_read_as_it_is(account):
    account.keep("first", VersionId="v1")
    account.set("UpdateSecret", VersionId="v1", SecretString="changed")

    assert open_secret(account.url).load() == Secret("changed")


def test_a_version_that_is_named_is_read_in_one_call(account):
    account.keep("first", VersionId="v1")
    account.keep("second", VersionId="v2")

    assert open_secret(account.url, query="&version=v1").load() == Secret("first")
    assert [call.action for call in account.api.calls] == ["GetSecretValue"]


def test_a_version_that_nobody_named_has_a_name_too(account):
    account.ssm.call(
        "CreateSecret", {"SecretName": "secret1", "SecretString": VALUE}, REGION
    )

    for query in ("", "&version=SSM_Current"):
        assert open_secret(account.url, query=query).load() == Secret(VALUE)


def listing_nothing(code: str = "", status: int = 200) -> Play:
    told = {"Error": {"Code": code, "Message": ""}} if code else {}
    return answering(
        status, json.dumps({"Response": {**told, "RequestId": "1"}}).encode()
    )


@pytest.mark.parametrize(
    "play",
    [
        listing_nothing("InvalidAction"),
        listing_nothing("UnsupportedOperation", 400),
        listing_nothing(),
        answering(404),
    ],
)
def test_where_no_versions_are_listed_the_one_that_nobody_named_is_read(account, play):
    with closing(AwsProxy(account.url)) as proxy:
        proxy.plan("ListSecretVersionIds", *[play] * 4)
        assert fail(proxy.url) == "no such secret in this region"
        account.keep(VALUE, VersionId="SSM_Current")

        assert open_secret(proxy.url).load() == Secret(VALUE)


@pytest.mark.parametrize(
    ("kept", "secret"),
    [
        (b"c3ludGhldGljLWFwcC1zZWNyZXQ=", VALUE),
        (b"5Yet5o2uCg==", "\u51ed\u636e"),
        ("a line\n", "a line"),
        ("two\n\n", "two\n"),
    ],
)
def test_text_and_binary_are_read_without_the_editors_newline(account, kept, secret):
    account.keep(kept)

    assert open_secret(account.url).load() == Secret(secret)


# why it cannot be read


def test_binary_that_is_none_is_refused(account):
    account.keep(b"/w==")
    assert fail(account.url) == "secret is not UTF-8"

    account.set("UpdateSecret", VersionId="v1", SecretBinary="@@")
    assert fail(account.url) == "secret is not Base64"


def test_a_secret_that_is_not_there_is_named_as_missing(account):
    assert fail(account.url) == "no such secret in this region"
    account.keep(VALUE)
    assert fail(account.url, "&version=v2") == "no such secret in this region"


@pytest.mark.parametrize("value", ["\n", b"Cg=="])
def test_a_secret_that_nobody_filled_is_empty(account, value):
    account.keep(value)

    assert fail(account.url) == "secret is empty: put its value"


def test_a_secret_without_a_version_is_empty(account):
    account.keep(VALUE)
    account.ssm.secrets[REGION, "secret1"].versions.clear()

    assert fail(account.url) == "secret is empty: put its value"


def test_a_secret_that_is_disabled_or_to_be_deleted_says_so(account):
    account.keep(VALUE)
    account.set("DisableSecret")
    assert fail(account.url) == "secret is disabled"

    account.set("DeleteSecret", RecoveryWindowInDays=7)
    assert fail(account.url) == "secret is about to be deleted"


@pytest.mark.parametrize("action", ["ListSecretVersionIds", "GetSecretValue"])
def test_a_denied_secret_names_the_permission(action):
    denied = ROLE._replace(denied=frozenset({f"ssm:{action}"}))
    with closing(Account(denied)) as account:
        account.keep(VALUE)

        assert fail(account.url) == f"denied ssm:{action} on a secret"


@pytest.mark.parametrize(
    "told", [{"SecretString": 1}, {"SecretBinary": [VALUE]}, {"SecretString": None}]
)
def test_an_answer_that_is_no_secret_is_a_failure(account, told):
    account.keep(VALUE)
    with closing(AwsProxy(account.url)) as proxy:
        answer = answer_json({"Response": {"RequestId": "1", **told}})
        proxy.plan("GetSecretValue", *[lambda *_: answer] * 2)

        unfilled = "secret is empty: put its value"
        assert fail(proxy.url) in {"unreadable answer", unfilled}


# what stops the start


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("secret1", "names no region: end it in ?region=ap-…"),
        ("secret1?region=", "names no region: end it in ?region=ap-…"),
        ("secret1?region=Guangzhou", "names a region that is none: they look like"),
        ("secret1?region=ap-x/y", "names a region that is none: they look like"),
        ("secret1?region=ap-guangzhou&region=ap-beijing", "takes the parameters"),
        ("secret1?region=ap-guangzhou&token=x", "takes the parameters"),
        ("secret1?region=ap-guangzhou&version=", "names a version that is none"),
        ("a/secret?region=ap-guangzhou", "must be tencent-ssm://name?region=…"),
        ("-secret?region=ap-guangzhou", "must be tencent-ssm://name?region=…"),
        ("?region=ap-guangzhou", "must be tencent-ssm://name?region=…"),
        ("secret1?region=ap-beijing", "no such secret in this region"),
    ],
)
def test_a_wrong_reference_stops_the_start_by_the_settings_name(account, where, why):
    account.keep(VALUE)

    with pytest.raises(SettingError) as failure:
        places.open_secret(
            "app_secret", Place("tencent-ssm", where), around(account.url)
        )

    assert failure.value.variable == "KYCOURIER_APP_SECRET"
    assert failure.value.why.startswith(f"cannot be used: {why}")
    assert where not in str(failure.value)


def test_a_name_of_every_allowed_character_is_taken(account):
    name = "A" * 126 + "_-"
    account.keep(VALUE, name)

    assert open_secret(account.url, name).load() == Secret(VALUE)


# as the place of somebody else's ticket


def test_ticket_kept_in_ssm_is_read_anew_when_it_was_refused(account, tmp_path):
    account.keep("first", VersionId="v1")
    environ = {
        **role_environ(account.url),
        "KYCOURIER_APP_ID": "SANDBOX1",
        "KYCOURIER_STATE": f"sqlite:///{tmp_path}/state.db",
        "KYCOURIER_TICKET": f"tencent-ssm://secret1?region={REGION}",
    }
    parts, clock = Assembly("test", environ, {"app_id"}), FakeClock()
    left = TimeLeft(clock.monotonic, seconds=60)
    refused = parts.tickets.current(left)
    assert refused.value == Secret("first")

    with pytest.raises(TicketUnavailable):
        parts.tickets.renew(refused, left)
    account.keep('{"ticket": "second"}', VersionId="v2")

    assert parts.tickets.renew(refused, left).value == Secret("second")
