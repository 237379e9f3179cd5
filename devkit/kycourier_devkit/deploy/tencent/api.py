"""Calls Tencent Cloud's API with its SDK and maps its errors.

Reads are retried while the API is busy, faulty or unreachable. Writes are retried only
if the API reports that it did nothing, so that nothing is created twice.
"""

import re
from typing import Any, Protocol
from urllib.parse import urlsplit

from tencentcloud.common.abstract_client import AbstractClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import (
    TencentCloudSDKException,
)
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.eb.v20210416.eb_client import EbClient
from tencentcloud.scf.v20180416.scf_client import ScfClient
from tencentcloud.ssm.v20190923.ssm_client import SsmClient

from kycourier.adapters.tencent.client import mute_sdk
from kycourier.ports import Clock
from kycourier_devkit.deploy.tencent.credentials import DeployerCredentials
from kycourier_devkit.errors import DevkitError

Members = dict[str, Any]
CALL_SECONDS = 60
_CLIENTS = {"scf": ScfClient, "ssm": SsmClient, "eb": EbClient}
_MAX_ATTEMPTS = 4
_THROTTLED, _FAULT = "RequestLimitExceeded", "InternalError"
_NO_RESPONSE = "ClientNetworkError"
_READS = ("Get", "List", "Describe")
_SYMBOL = re.compile(r"[A-Za-z0-9]{1,60}(\.[A-Za-z0-9]{1,60}){0,3}")
_DENIED = ("UnauthorizedOperation", "AuthFailure.UnauthorizedOperation")
_EXPLANATIONS = {
    _THROTTLED: "still throttled after several attempts",
    _FAULT: "an internal error of Tencent Cloud",
    _NO_RESPONSE: "no response",
    "AuthFailure": "the keys in the environment are refused",
    "ResourceNotFound.Role": "no such role: create it first",
    "FailedOperation.QcsRoleNotFound": "no such role: create it first",
    "ResourceNotFound.Vpc": "no such VPC or subnet: create it first",
    "ResourceNotFound.Ckafka": "no such CKafka instance or topic",
    "FailedOperation.TopicNotExist": "no such CKafka topic",
}


class ApiError(DevkitError):
    """A call of the API failed.

    `action` is spelled as in a permission (`scf:GetFunction`); `code` is the API's.
    """

    def __init__(self, action: str, code: str) -> None:
        self.action, self.code = action, code
        explanation = _explain(action, code)
        super().__init__(explanation if self.is_denied else f"{action}: {explanation}")

    @property
    def is_denied(self) -> bool:
        """Whether the caller lacks the permission."""
        return self.code.startswith(_DENIED)

    def is_one_of(self, *codes: str) -> bool:
        """Returns whether the code is one of these or a subcode of one."""
        return any(f"{self.code}.".startswith(f"{code}.") for code in codes)


class Api(Protocol):
    """Calls an action of the API, in the default region or another one."""

    def call(
        self, service: str, action: str, payload: Members, *, region: str | None = None
    ) -> Members:
        """Calls an action and returns the response's members. Raises ApiError."""


class SdkApi:
    """The API, called by the official SDK with the deployer's keys."""

    def __init__(
        self, credentials: DeployerCredentials, *, region: str, clock: Clock
    ) -> None:
        mute_sdk()  # the SDK logs whole requests, which hold secrets
        self._credentials, self._region, self._clock = credentials, region, clock
        self._clients: dict[tuple[str, str], AbstractClient] = {}

    def call(
        self, service: str, action: str, payload: Members, *, region: str | None = None
    ) -> Members:
        """Calls an action and returns the response's members. Raises ApiError."""
        client = self._client(service, region or self._region)
        retryable = {_THROTTLED}
        if action.startswith(_READS):
            retryable |= {_FAULT, _NO_RESPONSE}
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            try:
                response: Members = client.call_json(action, payload)
                return dict(response["Response"])
            except TencentCloudSDKException as error:
                code = _code_of(error)
            except (KeyError, TypeError, ValueError):
                code = _NO_RESPONSE  # the response is not the API's
            if attempt == _MAX_ATTEMPTS or code.partition(".")[0] not in retryable:
                break
            self._clock.sleep(2.0 ** (attempt - 1))
        raise ApiError(f"{service}:{action}", code)

    def _client(self, service: str, region: str) -> AbstractClient:
        key = (service, region)
        if key not in self._clients:
            keys = self._credentials
            credential = Credential(keys.secret_id, keys.secret_key, keys.token)
            profile = ClientProfile(httpProfile=_http_profile(keys.endpoint(service)))
            profile.disable_region_breaker = True
            self._clients[key] = _CLIENTS[service](credential, region, profile)
        return self._clients[key]


def _http_profile(endpoint: str | None) -> HttpProfile:
    profile = HttpProfile(reqTimeout=CALL_SECONDS)
    if endpoint:
        url = urlsplit(endpoint)
        profile.scheme = profile.protocol = url.scheme
        profile.endpoint = url.netloc
    return profile


def _code_of(error: TencentCloudSDKException) -> str:
    """Returns an error's code, never its text: that may repeat the request."""
    code = error.get_code()
    if code == "ServerNetworkError":  # the SDK's for a status other than 200
        return _NO_RESPONSE
    is_known = isinstance(code, str) and _SYMBOL.fullmatch(code)
    return str(code) if is_known else "unreadable response"


def _explain(action: str, code: str) -> str:
    if code.startswith(_DENIED):
        return f"denied {action}"
    known = [text for prefix, text in _EXPLANATIONS.items() if code.startswith(prefix)]
    return f"{known[0]} ({code})" if known else code
