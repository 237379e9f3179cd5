"""Proxies and endpoints that are not heeded stop the start by name."""

import pytest

from kycourier.core.errors import SettingError
from kycourier.settings.network import PROXIES
from kycourier.settings.reader import read_settings

LOCAL = {
    "KYCOURIER_APP_ID": "SANDBOX1",
    "KYCOURIER_APP_SECRET": "env:SECRET",
    "KYCOURIER_STATE": "sqlite:///state.db",
}
ON_AWS = LOCAL | {"KYCOURIER_STATE": "dynamodb://table"}
SANDBOX = {"KYCOURIER_KYC_URL": "http://127.0.0.1:8001"}
OURS = {"KYCOURIER_KYC_URL": "https://kyc.partner.example"}
PROXY = "http://canary:canary@proxy.example:3128"


def read(environ):
    return read_settings(environ, needs=frozenset({"app_id", "state"}))


def refusal(environ):
    with pytest.raises(SettingError) as caught:
        read(environ)
    assert "canary" not in str(caught.value)
    return caught.value.variable


@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize("host", [{}, OURS], ids=["profile", "own host"])
def test_proxy_on_the_way_to_the_platform_is_refused(name, host):
    assert refusal(LOCAL | host | {name: PROXY}) == name


@pytest.mark.parametrize(
    "names",
    [
        *("*", "kyc.partner.example", "partner.example", ".partner.example"),
        "other.example, kyc.partner.example",
    ],
)
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_proxy_is_none_for_hosts_that_need_none(names, variable):
    read(LOCAL | OURS | {"HTTPS_PROXY": PROXY, variable: names})


@pytest.mark.parametrize(
    "names", ["", ",", "example.org", "xpartner.example", "kyc.partner.example.org"]
)
def test_other_names_leave_the_proxy_in_the_way(names):
    environ = LOCAL | OURS | {"HTTPS_PROXY": PROXY, "NO_PROXY": names}
    assert refusal(environ) == "HTTPS_PROXY"


def test_proxy_does_not_matter_to_the_sandbox():
    read(LOCAL | SANDBOX | dict.fromkeys(PROXIES, PROXY))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_FIPS_ENDPOINT", "True"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_CA_BUNDLE", "/etc/ssl/canary.pem"),
    ],
)
def test_choice_of_awss_endpoints_is_refused_where_aws_is_used(name, value):
    assert refusal(ON_AWS | SANDBOX | {name: value}) == name
    read(LOCAL | SANDBOX | {name: value})


@pytest.mark.parametrize(
    "name", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"]
)
@pytest.mark.parametrize("value", ["false", ""])
def test_switch_that_is_off_is_none(name, value):
    read(ON_AWS | SANDBOX | {name: value})
