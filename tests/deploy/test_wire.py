"""Calls on the wire: signed with the deployer's keys, bounded, and refused in words."""

import socket
import warnings
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from canaries import MARK
from deploying import REGION
from fakes import FakeClock
from kycourier_devkit.deploy.access import read_access
from kycourier_devkit.deploy.api import CallRefused, SdkApi
from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.stand_ins.tencent.api import TencentApi
from kycourier_devkit.stand_ins.tencent.tc3 import Key, Refusal

KEY = Key("AKIDdeployer1", f"{MARK}deployer-key")
KEYS = {
    "TENCENTCLOUD_SECRETID": KEY.secret_id,
    "TENCENTCLOUD_SECRETKEY": KEY.secret_key,
}
ASKED = {"SecretName": "name", "SecretString": f"{MARK}a-value"}

pytestmark = pytest.mark.enable_socket


class Ssm:
    """A service that gives what it is told to, call after call."""

    name, version = "ssm", "2019-09-23"

    def __init__(self) -> None:
        self.answers: list[str | None] = []
        self.regions: list[str] = []

    def call(self, action: str, payload: dict[str, Any], region: str) -> dict[str, Any]:
        self.regions.append(region)
        code = self.answers.pop(0) if self.answers else None
        if code is not None:
            raise Refusal(code, f"{action} {payload} is refused")
        return {"Action": action}


@pytest.fixture
def ssm() -> Ssm:
    return Ssm()


@pytest.fixture
def api(ssm: Ssm) -> Iterator[TencentApi]:
    with closing(TencentApi([KEY], [ssm])) as api:
        yield api


def sdk(api: TencentApi, clock: FakeClock | None = None, **environ: str) -> SdkApi:
    access = read_access({"TENCENTCLOUD_ENDPOINT_URL": api.url, **KEYS, **environ})
    return SdkApi(access, region=REGION, clock=clock or FakeClock())


def refusal(api: SdkApi, action: str = "CreateSecret") -> CallRefused:
    """Give what a call is refused with; nothing of the request stands in it."""
    with pytest.raises(CallRefused) as caught:
        api.call("ssm", action, ASKED)
    assert MARK not in f"{caught.value} {caught.value.args} {caught.value.__cause__}"
    assert caught.value.__context__ is None
    return caught.value


def test_a_signed_call_is_answered_in_its_region(api, ssm):
    assert sdk(api).call("ssm", "ListSecrets", {})["Action"] == "ListSecrets"
    sdk(api).call("ssm", "ListSecrets", {}, region="ap-beijing")

    assert ssm.regions == [REGION, "ap-beijing"]


def test_a_wrong_key_is_refused(api, ssm):
    wrong = sdk(api, TENCENTCLOUD_SECRETKEY=f"{MARK}another-key")

    assert str(refusal(wrong)) == (
        "ssm:CreateSecret: the keys in the environment are refused"
        " (AuthFailure.SignatureFailure)"
    )
    assert ssm.regions == []


def test_a_temporary_key_comes_with_its_token(api):
    api.renew(KEY._replace(token=f"{MARK}token"))

    assert refusal(sdk(api)).code == "AuthFailure.TokenFailure"
    for name in ("TENCENTCLOUD_SESSIONTOKEN", "TENCENTCLOUD_TOKEN"):
        sdk(api, **{name: f"{MARK}token"}).call("ssm", "ListSecrets", {})


def test_keys_may_be_named_as_the_vendors_tools_name_them(api):
    spelled = {
        "TENCENTCLOUD_SECRET_ID": KEY.secret_id,
        "TENCENTCLOUD_SECRET_KEY": KEY.secret_key,
        "TENCENTCLOUD_ENDPOINT_URL_SSM": api.url,
    }

    SdkApi(read_access(spelled), region=REGION, clock=FakeClock()).call(
        "ssm", "ListSecrets", {}
    )


@pytest.mark.parametrize("missing", KEYS)
def test_a_missing_key_is_named(missing):
    kept = {name: text for name, text in KEYS.items() if name != missing}

    with pytest.raises(UsageProblem, match=f"^{missing}: not set") as caught:
        read_access(kept)

    assert MARK not in str(caught.value)


@pytest.mark.parametrize("url", ["http://api.example", "ftp://127.0.0.1", "nowhere"])
def test_an_endpoint_in_the_clear_is_on_loopback_alone(url):
    for name in ("TENCENTCLOUD_ENDPOINT_URL", "TENCENTCLOUD_ENDPOINT_URL_SCF"):
        with pytest.raises(UsageProblem, match=f"^{name}: must be https"):
            read_access({**KEYS, name: url})


def test_access_does_not_show_itself():
    access = read_access({**KEYS, "TENCENTCLOUD_TOKEN": f"{MARK}token"})

    assert MARK not in f"{access!r} {access}"


def test_a_lacking_permission_is_named(api):
    api.renew(KEY._replace(denied=frozenset({"ssm:CreateSecret"})))

    refused = refusal(sdk(api))

    assert str(refused) == "denied ssm:CreateSecret"
    assert refused.is_denied


def test_throttling_is_waited_out_for_any_call(api, ssm):
    clock = FakeClock()
    before = clock.monotonic()
    ssm.answers = ["RequestLimitExceeded", "RequestLimitExceeded.IPLimitExceeded"]

    sdk(api, clock).call("ssm", "CreateSecret", ASKED)

    assert len(ssm.regions) == 3
    assert clock.monotonic() - before == 3.0


def test_throttling_without_an_end_is_an_error(api, ssm):
    ssm.answers = ["RequestLimitExceeded"] * 9

    assert "throttled" in str(refusal(sdk(api)))
    assert len(ssm.regions) == 4


def test_a_fault_is_tried_again_for_what_reads_and_not_for_what_writes(api, ssm):
    ssm.answers = ["InternalError", "InternalError.System"]
    sdk(api).call("ssm", "DescribeSecret", {"SecretName": "name"})
    assert len(ssm.regions) == 3

    ssm.answers = ["InternalError"]
    assert refusal(sdk(api)).code == "InternalError"
    assert len(ssm.regions) == 4


def test_silence_is_tried_again_for_what_reads_alone():
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    clock = FakeClock()
    access = read_access(
        {**KEYS, "TENCENTCLOUD_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    )
    api = SdkApi(access, region=REGION, clock=clock)

    before = clock.monotonic()
    assert str(refusal(api)) == "ssm:CreateSecret: no answer (ClientNetworkError)"
    assert clock.monotonic() == before
    assert refusal(api, "GetSecretValue").code == "ClientNetworkError"
    assert clock.monotonic() - before == 7.0


def test_a_symbol_that_is_none_is_not_repeated(api, ssm):
    ssm.answers = [f"{MARK} is no symbol"]

    assert refusal(sdk(api)).code == "unreadable answer"


def test_the_sdk_warns_of_nothing_in_what_it_is_given(api):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "datetime.datetime.utcfromtimestamp")
        sdk(api).call("ssm", "ListSecrets", {})
