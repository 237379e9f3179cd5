"""Settings: order, defaults, accepted forms, and rejection without the value."""

from datetime import timedelta

import pytest

from kycourier.core.errors import SettingError
from kycourier.core.wire.requests import Profile
from kycourier.settings.declarations import SETTINGS
from kycourier.settings.reader import read_settings
from kycourier.settings.resource_url import ResourceUrl

CANARY = "canary"
# The variables, in the order of every template
ORDER = [
    "APP_ID", "APP_SECRET", "KYC_PROFILE", "KYC_URL", "TICKET", "STATE", "EVIDENCE",
    "EVENTS", "WEBHOOK_SECRET", "QUEUE", "RECIPIENT_KEY", "FINGERPRINT_KEY",
    "ID_CARD_SIDES", "FACE_FILES", "API_AUTH", "API_KEYS", "ORDER_TTL_SECONDS",
    "FIRST_SWEEP_SECONDS", "PHOTO_PATIENCE_SECONDS", "MAX_IN_FLIGHT",
    "MAX_REPLY_BYTES", "KYC_TIMEOUT_SECONDS",
]  # fmt: skip
REQUIRED = {
    "KYCOURIER_APP_ID": "SANDBOX1",
    "KYCOURIER_APP_SECRET": "env:SECRET",
    "KYCOURIER_STATE": "sqlite:///state.db",
}
NEEDS = frozenset({"app_id", "app_secret", "state"})


def read(**changes):
    changed = {f"KYCOURIER_{name}": value for name, value in changes.items()}
    environ = {
        name: text for name, text in (REQUIRED | changed).items() if text is not None
    }
    return read_settings(environ, needs=NEEDS)


def test_variables_have_the_documented_order():
    assert [setting.variable for setting in SETTINGS] == [
        f"KYCOURIER_{name}" for name in ORDER
    ]


def test_defaults_are_the_documented_ones():
    settings = read()
    assert settings.kyc_profile is Profile.MINIPROGRAM
    assert settings.ticket is settings.queue is settings.kyc_url is None
    assert settings.api_auth == "signature"
    assert settings.order_ttl_seconds == timedelta(seconds=172800)
    assert settings.first_sweep_seconds == timedelta(seconds=600)
    assert settings.photo_patience_seconds == timedelta(seconds=300)
    assert (settings.max_in_flight, settings.max_reply_bytes) == (10, 16777216)
    assert settings.kyc_timeout_seconds == 8


@pytest.mark.parametrize(
    ("name", "scheme", "rest"),
    [
        ("APP_SECRET", "env", "NAME"),
        ("APP_SECRET", "file", "/run/secret"),
        ("APP_SECRET", "aws-ssm", "kyc/secret"),
        ("APP_SECRET", "tencent-ssm", "name?region=ap-guangzhou"),
        ("TICKET", "rediss", "host:6380/0#key"),
        ("STATE", "sqlite", "//var/state.db"),
        ("STATE", "dynamodb", "table"),
        ("STATE", "redis", "u:p%23@host/1"),
        ("EVIDENCE", "s3", "bucket/prefix"),
        ("EVENTS", "eventbridge", "bus"),
        ("EVENTS", "https", "partner.example:8443/hook/a?token=x%20y&z"),
        ("EVENTS", "https", "partner.example?token=x"),
        ("EVENTS", "https", "partner.example/tenants/a%2Fb:notify@eu/(x),y"),
        ("EVENTS", "http", "127.0.0.1:3000/hook"),
        ("QUEUE", "sqs", "name"),
    ],
)
def test_urls_and_references_are_parsed(name, scheme, rest):
    text = f"{scheme}:{rest}" if scheme == "env" else f"{scheme}://{rest}"
    settings = read(**{name: text})
    assert getattr(settings, name.lower()) == ResourceUrl(scheme, rest)
    assert read(QUEUE="none").queue is None


WRONG = {
    "APP_ID": ["", "a b", "a\n", "é", "x" * 33],
    "APP_SECRET": ["canarysecret", "env:", "file://relative", "http://x", "vault://x"],
    "KYC_PROFILE": ["canary", "KYC1", " kyc1"],
    "KYC_URL": [
        *("canary", "ftp://x", "http://example.com", "https://u:canary@x", "https://"),
        *("https://x?canary", "https://x#y", "http://127.0.0.1:canary"),
        *("https://[canary", "https://x\ny"),
    ],
    "TICKET": [
        *("canary", "owned ", "redis:/x", "redis://canary", "rediss://canary#"),
        "redis://:can#",
    ],
    "STATE": [
        *("canary", "sqlite://", "sqlite:///", "sqlite://x.db", "mysql://x"),
        *("redis://host#canary", "rediss://:can#ary@host", "redis://host#"),
    ],
    "EVIDENCE": ["canary", "file://x", "s3://"],
    "EVENTS": [
        *("canary", "kafka://x", "http://example.com/hook", "https://u:canary@x/hook"),
        *(
            "https://x/hook#canary",
            "https://x/ho ok",
            "https://x/?a b",
            "https://[::1]x",
        ),
        *("https://", "https://x:99999/", "HTTPS://x/hook", "https://x/hook?é"),
        *("https://x/a%2", "https://x/a b", "https://x/a\r\nCookie:canary"),
        *("http://localhost@canary/", "http://127.0.0.1.canary/", "https:x"),
    ],
    "WEBHOOK_SECRET": ["canary", "whsec_canary"],
    "QUEUE": ["canary", "None"],
    "RECIPIENT_KEY": ["canary", '{"kty": "canary"}'],
    "FINGERPRINT_KEY": ["canary" * 8],
    "ID_CARD_SIDES": ["canary", "Both", "back"],
    "FACE_FILES": ["canary", "video", "None"],
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
    ("name", "text"), [(name, text) for name in ORDER for text in WRONG[name]]
)
def test_wrong_value_is_rejected_by_name_without_its_text(name, text):
    with pytest.raises(SettingError) as caught:
        read(**{name: text})
    assert caught.value.variable == f"KYCOURIER_{name}"
    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.reason.partition(": ")[2]


@pytest.mark.parametrize("name", ["APP_ID", "APP_SECRET", "STATE"])
@pytest.mark.parametrize("text", [None, ""])
def test_missing_value_is_rejected_by_name(name, text):
    with pytest.raises(SettingError, match=f"KYCOURIER_{name}: is not set"):
        read(**{name: text})


def test_app_secret_is_optional_with_a_foreign_ticket():
    assert read(APP_SECRET=None, TICKET="env:TICKET").app_secret is None


@pytest.mark.parametrize(
    ("setting", "base"),
    [
        ("file:///var/kyc,a+b@c", "file:///var/kyc,a+b@c"),
        ("file:///My Folder/", "file:///My%20Folder"),
        ("s3://bucket/prefix/", "s3://bucket/prefix"),
        ("cos://bucket-1/prefix?region=ap-guangzhou", "cos://bucket-1/prefix"),
    ],
)
def test_base_uri_is_the_setting_without_parameters(setting, base):
    assert read(EVIDENCE=setting).evidence.base_uri == base
