"""Every setting: a wrong or missing one stops the start without its value."""

from datetime import timedelta

import pytest

from kycourier.core.errors import SettingError
from kycourier.core.wire import Profile
from kycourier.setting_forms import Place
from kycourier.settings import SETTINGS, read_settings

CANARY = "canary"
# design: the variables, in the order of every template
ORDER = [
    "APP_ID",
    "APP_SECRET",
    "KYC_PROFILE",
    "KYC_URL",
    "TICKET",
    "STATE",
    "EVIDENCE",
    "EVENTS",
    "QUEUE",
    "CARD_NUMBER",
    "FINGERPRINT_KEY",
    "API_AUTH",
    "API_KEYS",
    "ORDER_TTL_SECONDS",
    "FIRST_SWEEP_SECONDS",
    "PHOTO_PATIENCE_SECONDS",
    "MAX_IN_FLIGHT",
    "MAX_REPLY_BYTES",
    "KYC_TIMEOUT_SECONDS",
]
LEAST = {
    "KYCOURIER_APP_ID": "SANDBOX1",
    "KYCOURIER_APP_SECRET": "env:SECRET",
    "KYCOURIER_STATE": "sqlite:///state.db",
}
NEEDS = frozenset({"app_id", "app_secret", "state"})


def read(**changes):
    changed = {f"KYCOURIER_{name}": value for name, value in changes.items()}
    environ = {
        name: text for name, text in (LEAST | changed).items() if text is not None
    }
    return read_settings(environ, needs=NEEDS)


def test_the_variables_and_their_order():
    assert [setting.variable for setting in SETTINGS] == [
        f"KYCOURIER_{name}" for name in ORDER
    ]


def test_defaults():
    settings = read()
    assert settings.kyc_profile is Profile.MINIPROGRAM
    assert settings.ticket is settings.queue is settings.kyc_url is None
    assert (settings.card_number, settings.api_auth) == ("masked", "signature")
    assert settings.order_ttl_seconds == timedelta(seconds=172800)
    assert settings.first_sweep_seconds == timedelta(seconds=600)
    assert settings.photo_patience_seconds == timedelta(seconds=300)
    assert (settings.max_in_flight, settings.max_reply_bytes) == (10, 16777216)
    assert settings.kyc_timeout_seconds == 8


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("APP_SECRET", "env:NAME", Place("env", "NAME")),
        ("APP_SECRET", "file:///run/secret", Place("file", "/run/secret")),
        ("APP_SECRET", "aws-ssm://kyc/secret", Place("aws-ssm", "kyc/secret")),
        (
            "APP_SECRET",
            "tencent-ssm://name?region=ap-guangzhou",
            Place("tencent-ssm", "name?region=ap-guangzhou"),
        ),
        ("TICKET", "rediss://host:6380/0#key", Place("rediss", "host:6380/0#key")),
        ("STATE", "sqlite:////var/state.db", Place("sqlite", "//var/state.db")),
        ("STATE", "dynamodb://table", Place("dynamodb", "table")),
        ("STATE", "redis://u:p%23@host/1", Place("redis", "u:p%23@host/1")),
        ("EVIDENCE", "s3://bucket/prefix", Place("s3", "bucket/prefix")),
        ("EVENTS", "eventbridge://bus", Place("eventbridge", "bus")),
        ("QUEUE", "none", None),
        ("QUEUE", "sqs://name", Place("sqs", "name")),
    ],
)
def test_places(name, text, place):
    assert getattr(read(**{name: text}), name.lower()) == place


WRONG = {
    "APP_ID": ["", "a b", "a\n", "é", "x" * 33],
    "APP_SECRET": ["canarysecret", "env:", "file://relative", "http://x", "vault://x"],
    "KYC_PROFILE": ["canary", "KYC1", " kyc1"],
    "KYC_URL": [
        "canary",
        "ftp://x",
        "http://example.com",
        "https://u:canary@x",
        "https://x?canary",
        "https://x#y",
        "https://",
        "http://127.0.0.1:canary",
        "https://[canary",
        "https://x\ny",
    ],
    "TICKET": [
        "canary",
        "owned ",
        "redis:/x",
        "redis://canary",
        "rediss://canary#",
        "redis://:can#",
    ],
    "STATE": [
        "canary",
        "sqlite://",
        "sqlite:///",
        "sqlite://x.db",
        "mysql://x",
        "redis://host#canary",
        "rediss://:can#ary@host",
        "redis://host#",
    ],
    "EVIDENCE": ["canary", "file://x", "s3://"],
    "EVENTS": ["canary", "kafka://x"],
    "QUEUE": ["canary", "None"],
    "CARD_NUMBER": ["canary", "sealed", "plain"],
    "FINGERPRINT_KEY": ["canary" * 8],
    "API_AUTH": ["canary", "None"],
    "API_KEYS": ["canary"],
    "ORDER_TTL_SECONDS": ["0", "-1", "canary", "1e3", "٣", "1\n"],
    "FIRST_SWEEP_SECONDS": ["-1", "x"],
    "PHOTO_PATIENCE_SECONDS": ["-1", "x"],
    "MAX_IN_FLIGHT": ["0", "x", "1001", "1.9"],
    "MAX_REPLY_BYTES": ["10", "x", "9" * 12, "4096.5"],
    "KYC_TIMEOUT_SECONDS": ["0", "9", "8.1", "x"],
}


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in WRONG.items() for text in texts]
)
def test_a_wrong_value_is_told_by_name_and_reason_alone(name, text):
    with pytest.raises(SettingError) as caught:
        read(**{name: text})
    assert caught.value.variable == f"KYCOURIER_{name}"
    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.reason.partition(": ")[2]


def test_every_setting_has_a_wrong_value_here():
    assert list(WRONG) == ORDER


@pytest.mark.parametrize("name", ["APP_ID", "APP_SECRET", "STATE"])
@pytest.mark.parametrize("text", [None, ""])
def test_a_missing_one_is_told_by_name(name, text):
    with pytest.raises(SettingError, match=f"KYCOURIER_{name}: is not set"):
        read(**{name: text})


def test_the_secret_is_not_needed_when_the_ticket_is_someone_elses():
    assert read(APP_SECRET=None, TICKET="env:TICKET").app_secret is None


def test_settings_are_frozen():
    with pytest.raises(AttributeError):
        read().app_id = "other"


@pytest.mark.parametrize(
    ("setting", "base"),
    [
        ("file:///var/kyc,a+b@c", "file:///var/kyc,a+b@c"),
        ("file:///My Folder/", "file:///My%20Folder"),
        ("s3://bucket/prefix/", "s3://bucket/prefix"),
        ("cos://bucket-1/prefix?region=ap-guangzhou", "cos://bucket-1/prefix"),
    ],
)
def test_an_objects_uri_is_the_setting_plus_its_key(setting, base):
    assert read(EVIDENCE=setting).evidence.base_uri == base
