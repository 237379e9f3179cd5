"""Redis URLs: accepted forms, and rejection without any part of the URL."""

import pytest

from kycourier.adapters.redis.urls import RedisUrl, parse_redis_url
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret
from kycourier.settings.resource_url import ResourceUrl
from support.rigs.redis_rig import split_url

CANARY = "canary"
PLAIN = {
    "host": "h",
    "port": 6379,
    "tls": False,
    "db": 0,
    "user": None,
    "password": None,
    "password_reference": None,
    "ca_file": None,
    "key": "",
}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://h", {}),
        ("redis://h/", {}),
        ("redis://h:6380/3", {"port": 6380, "db": 3}),
        ("rediss://h", {"tls": True}),
        ("redis://master.a-b_c.x1.cache.test", {"host": "master.a-b_c.x1.cache.test"}),
        ("redis://[::1]:7000", {"host": "::1", "port": 7000}),
        ("redis://:pass@h", {"password": Secret("pass")}),
        ("redis://u:pass@h", {"user": "u", "password": Secret("pass")}),
        (
            "redis://u%40:p%23%3A%25@h",
            {"user": "u@", "password": Secret("p#:%")},
        ),
        ("rediss://h?ca=/run/ca.pem", {"tls": True, "ca_file": "/run/ca.pem"}),
        ("redis://:crs-abc%3Apass@h", {"password": Secret("crs-abc:pass")}),
        ("redis://:user%40pass@h", {"password": Secret("user@pass")}),
        (
            "redis://h?password=tencent-ssm://redis?region=ap-guangzhou",
            {
                "password_reference": ResourceUrl(
                    "tencent-ssm", "redis?region=ap-guangzhou"
                )
            },
        ),
        (
            "redis://h?password=env:NAME",
            {"password_reference": ResourceUrl("env", "NAME")},
        ),
        (
            "redis://u@h/1?password=aws-secretsmanager://kyc/redis",
            {
                "user": "u",
                "db": 1,
                "password_reference": ResourceUrl("aws-secretsmanager", "kyc/redis"),
            },
        ),
        ("redis://h#kyc:{a}:ticket", {"key": "kyc:{a}:ticket"}),
        ("redis://h/2?password=env:N#a%20b", {
            "db": 2, "password_reference": ResourceUrl("env", "N"), "key": "a b",
        }),
    ],
)  # fmt: skip
def test_url_is_parsed(url, expected):
    assert parse_redis_url(split_url(url)) == RedisUrl(**(PLAIN | expected))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis://canary:x", "must be"),
        ("redis://h:65536", "must be"),
        ("redis://h/canary", "must be"),
        ("redis://h/99999", "must be"),
        ("redis://a@canary@h", "must be"),
        ("redis://:can/ary@h", "must be"),
        ("redis://ca nary", "must be"),
        ("redis://canary..x", "must be"),
        ("redis://" + "canary" * 11, "must be"),
        ("redis://h?ssl_cert_reqs=canary", "the parameters"),
        ("rediss://h?ssl_check_hostname=canary", "the parameters"),
        ("rediss://h?ssl_cert_reqs=none", "the parameters"),
        ("redis://h?db=canary", "the parameters"),
        ("redis://h?canary", "the parameters"),
        ("redis://h?password=env:A&password=env:canary", "the parameters"),
        ("redis://h?ca=/canary", "only with rediss://"),
        ("rediss://h?ca=canary", "ca=/path"),
        ("redis://h?password=canary", "secret reference"),
        ("redis://:canary@h?password=env:A", "two passwords"),
        ("redis://canary@h", "without a password"),
    ],
)
def test_wrong_url_is_rejected_without_its_text(url, reason):
    with pytest.raises(StoreUnavailableError, match=reason) as refused:
        parse_redis_url(split_url(url))

    assert CANARY not in str(refused.value)
    assert refused.value.__context__ is None


def test_password_is_hidden_in_repr():
    url = split_url("rediss://user:canary@h/1")

    assert CANARY not in repr(url)
    assert CANARY not in repr(parse_redis_url(url))
