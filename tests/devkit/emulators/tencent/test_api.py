"""The emulator of Tencent Cloud's API rejects what the cloud rejects."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import closing

import pytest
import requests

from kycourier_devkit.emulators.tencent.api import TencentApi
from kycourier_devkit.emulators.tencent.ssm import Ssm
from kycourier_devkit.emulators.tencent.tc3 import sign
from support.tencent_api_rig import REGION, ROLE

pytestmark = pytest.mark.enable_socket
NOW = 1_700_000_000


BODY = b'{"SecretName": "name"}'
GOOD = {
    "content-type": "application/json",
    "host": "ssm.tencentcloudapi.com",
    "x-tc-action": "DescribeSecret",
    "x-tc-version": "2019-09-23",
    "x-tc-region": REGION,
    "x-tc-timestamp": str(NOW),
    "x-tc-token": ROLE.token or "",
}


def authorize(
    headers: Mapping[str, str],
    *,
    day: str = "2023-11-14",
    service: str = "ssm",
    names: str = "content-type;host",
    body: bytes = BODY,
    method: str = "POST",
) -> str:
    """Sign as the vendor documents it."""
    signed = "".join(f"{name}:{headers.get(name, '')}\n" for name in names.split(";"))
    digest = hashlib.sha256(body).hexdigest()
    canonical = f"{method}\n/\n\n{signed}\n{names}\n{digest}"
    scope = f"{day}/{service}/tc3_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"TC3-HMAC-SHA256\n{headers['x-tc-timestamp']}\n{scope}\n{hashed}"
    signature = sign(f"TC3{ROLE.secret_key}", scope.split("/"), text)
    return (
        f"TC3-HMAC-SHA256 Credential={ROLE.secret_id}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )


@pytest.fixture
def api():
    with closing(TencentApi([ROLE], [Ssm()], now=lambda: NOW)) as api:
        yield api


def send(api: TencentApi, authorization: str, method: str = "POST", **headers: str):
    sent = {**GOOD, **headers, "authorization": authorization}
    received = requests.request(method, api.url, data=BODY, headers=sent, timeout=5)
    assert received.status_code == 200
    assert received.headers["content-type"] == "application/json"
    response = json.loads(received.content)["Response"]
    assert response["RequestId"]
    return response.get("Error", {}).get("Code")


def test_request_signed_as_documented_is_accepted(api):
    assert send(api, authorize(GOOD)) == "ResourceNotFound.SecretNotExist"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "AuthFailure.InvalidAuthorization"),
        (authorize(GOOD)[:-1], "AuthFailure.InvalidAuthorization"),
        (authorize(GOOD, day="2023-11-15"), "AuthFailure.SignatureFailure"),
        (authorize(GOOD, names="host"), "AuthFailure.SignatureFailure"),
        (authorize(GOOD, names="host;content-type"), "AuthFailure.SignatureFailure"),
        (authorize(GOOD, names="content-type;host;x-none"), "AuthFailure.SignatureF"),
        (authorize(GOOD, body=BODY + b" "), "AuthFailure.SignatureFailure"),
        (authorize(GOOD, method="GET"), "AuthFailure.SignatureFailure"),
        (authorize(GOOD | {"content-type": "x"}), "AuthFailure.SignatureFailure"),
        (authorize(GOOD, service="cvm"), "NoSuchProduct"),
        (authorize(GOOD | {"host": "eb.tencentcloudapi.com"}), "AuthFailure.Signature"),
    ],
)
def test_signature_with_one_wrong_part_is_rejected(api, authorization, code):
    assert send(api, authorization).startswith(code)
    assert api.calls == []


@pytest.mark.parametrize("skew", [-301, 301])
def test_signature_of_another_time_is_rejected(api, skew):
    headers = GOOD | {"x-tc-timestamp": str(NOW + skew)}

    code = send(api, authorize(headers), **{"x-tc-timestamp": str(NOW + skew)})

    assert code == "AuthFailure.SignatureExpire"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x-tc-version": "2017-03-12"}, "NoSuchVersion"),
        ({"x-tc-action": "Explode"}, "InvalidAction"),
        ({"x-tc-region": ""}, "MissingParameter"),
        ({"x-tc-token": ""}, "AuthFailure.TokenFailure"),
        ({"x-tc-timestamp": ""}, "MissingParameter"),
    ],
)
def test_required_header_is_checked(api, headers, code):
    assert send(api, authorize(GOOD), **headers) == code


def test_other_methods_than_post_are_rejected(api):
    assert send(api, authorize(GOOD), "PUT") == "UnsupportedProtocol"
