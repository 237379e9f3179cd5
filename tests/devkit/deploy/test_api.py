"""Calls over HTTP are signed with the deployer's keys, and errors are explained."""

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from kycourier_devkit.deploy.tencent.api import ApiError, SdkApi
from kycourier_devkit.deploy.tencent.credentials import read_credentials
from kycourier_devkit.emulators.tencent.api import TencentApi
from kycourier_devkit.emulators.tencent.tc3 import CallRefusedError, Key
from kycourier_devkit.errors import UsageError
from support.fakes import FakeClock
from support.leaks.canaries import MARK
from support.tencent_account import REGION

KEY = Key("AKIDdeployer1", f"{MARK}deployer-key")
KEYS = {
    "TENCENTCLOUD_SECRETID": KEY.secret_id,
    "TENCENTCLOUD_SECRETKEY": KEY.secret_key,
}
PAYLOAD = {"SecretName": "name", "SecretString": f"{MARK}a-value"}

pytestmark = pytest.mark.enable_socket


class Ssm:
    """A service that fails with the planned codes, call after call."""

    name, version = "ssm", "2019-09-23"

    def __init__(self) -> None:
        self.codes: list[str | None] = []
        self.regions: list[str] = []

    def call(self, action: str, payload: dict[str, Any], region: str) -> dict[str, Any]:
        self.regions.append(region)
        code = self.codes.pop(0) if self.codes else None
        if code is not None:
            raise CallRefusedError(code, f"{action} {payload} is refused")
        return {"Action": action}


@pytest.fixture
def ssm() -> Ssm:
    return Ssm()


@pytest.fixture
def api(ssm: Ssm) -> Iterator[TencentApi]:
    with closing(TencentApi([KEY], [ssm])) as api:
        yield api


def sdk(api: TencentApi, clock: FakeClock | None = None, **environ: str) -> SdkApi:
    credentials = read_credentials(
        {"TENCENTCLOUD_ENDPOINT_URL": api.url, **KEYS, **environ}
    )
    return SdkApi(credentials, region=REGION, clock=clock or FakeClock())


def call_error(api: SdkApi, action: str = "CreateSecret") -> ApiError:
    """Return the error of a call; it holds nothing of the request."""
    with pytest.raises(ApiError) as caught:
        api.call("ssm", action, PAYLOAD)
    assert MARK not in f"{caught.value} {caught.value.args} {caught.value.__cause__}"
    assert caught.value.__context__ is None
    return caught.value


def test_signed_call_is_sent_to_its_region(api, ssm):
    assert sdk(api).call("ssm", "ListSecrets", {})["Action"] == "ListSecrets"
    sdk(api).call("ssm", "ListSecrets", {}, region="ap-beijing")

    assert ssm.regions == [REGION, "ap-beijing"]


def test_wrong_key_is_refused(api, ssm):
    wrong = sdk(api, TENCENTCLOUD_SECRETKEY=f"{MARK}another-key")

    assert str(call_error(wrong)) == (
        "ssm:CreateSecret: the keys in the environment are refused"
        " (AuthFailure.SignatureFailure)"
    )
    assert ssm.regions == []


def test_temporary_key_is_sent_with_its_token(api):
    api.renew(KEY._replace(token=f"{MARK}token"))

    assert call_error(sdk(api)).code == "AuthFailure.TokenFailure"
    for name in ("TENCENTCLOUD_SESSIONTOKEN", "TENCENTCLOUD_TOKEN"):
        sdk(api, **{name: f"{MARK}token"}).call("ssm", "ListSecrets", {})


def test_variable_names_of_the_vendor_tools_are_accepted():
    spelled = {
        "TENCENTCLOUD_SECRET_ID": KEY.secret_id,
        "TENCENTCLOUD_SECRET_KEY": KEY.secret_key,
    }

    credentials = read_credentials(spelled)

    assert credentials == read_credentials(KEYS)
    assert MARK not in f"{credentials!r} {credentials}"


@pytest.mark.parametrize("missing", KEYS)
def test_missing_key_is_named(missing):
    with pytest.raises(UsageError, match=f"^{missing}: not set"):
        read_credentials({**KEYS, missing: ""})


@pytest.mark.parametrize("url", ["http://api.example", "ftp://127.0.0.1", "nowhere"])
def test_http_endpoint_is_accepted_only_on_loopback(url):
    for name in ("TENCENTCLOUD_ENDPOINT_URL", "TENCENTCLOUD_ENDPOINT_URL_SCF"):
        with pytest.raises(UsageError, match=f"^{name}: must be https"):
            read_credentials({**KEYS, name: url})


def test_denied_permission_is_named(api):
    api.renew(KEY._replace(denied=frozenset({"ssm:CreateSecret"})))

    refused = call_error(sdk(api))

    assert str(refused) == "denied ssm:CreateSecret"
    assert refused.is_denied


def test_throttled_call_is_retried_three_times(api, ssm):
    clock = FakeClock()
    before = clock.monotonic()
    ssm.codes = ["RequestLimitExceeded", "RequestLimitExceeded.IPLimitExceeded"]
    sdk(api, clock).call("ssm", "CreateSecret", PAYLOAD)
    assert len(ssm.regions) == 3
    assert clock.monotonic() - before == 3.0

    ssm.codes = ["RequestLimitExceeded"] * 9
    assert "throttled" in str(call_error(sdk(api)))
    assert len(ssm.regions) == 3 + 4


def test_internal_error_is_retried_for_reads_only(api, ssm):
    ssm.codes = ["InternalError", "InternalError.System"]
    sdk(api).call("ssm", "DescribeSecret", {"SecretName": "name"})
    assert len(ssm.regions) == 3

    ssm.codes = ["InternalError"]
    assert call_error(sdk(api)).code == "InternalError"
    assert len(ssm.regions) == 4


def test_missing_response_is_retried_for_reads_only():
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    clock = FakeClock()
    credentials = read_credentials(
        {**KEYS, "TENCENTCLOUD_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    )
    api = SdkApi(credentials, region=REGION, clock=clock)

    before = clock.monotonic()
    assert str(call_error(api)) == "ssm:CreateSecret: no response (ClientNetworkError)"
    assert clock.monotonic() == before
    assert call_error(api, "GetSecretValue").code == "ClientNetworkError"
    assert clock.monotonic() - before == 7.0


def test_unreadable_error_code_is_not_shown(api, ssm):
    ssm.codes = [f"{MARK} is no symbol"]

    assert call_error(sdk(api)).code == "unreadable response"
