"""Calls of Tencent Cloud's API by its SDK, and what its refusals become.

What reads is tried again while the API is busy or silent; what writes only where the
API says that it did nothing, so that nothing is made twice.
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

from kycourier.adapters.tencent.silence import silence_libraries
from kycourier.ports import Clock
from kycourier_devkit.deploy.access import Access
from kycourier_devkit.errors import DevkitError

Members = dict[str, Any]
CALL_SECONDS = 60
_CLIENTS = {"scf": ScfClient, "ssm": SsmClient, "eb": EbClient}
_ATTEMPTS = 4
_BUSY, _FAULTY = "RequestLimitExceeded", "InternalError"
_SILENT = "ClientNetworkError"
_READS = ("Get", "List", "Describe")
_SYMBOL = re.compile(r"[A-Za-z0-9]{1,60}(\.[A-Za-z0-9]{1,60}){0,3}")
_DENIED = ("UnauthorizedOperation", "AuthFailure.UnauthorizedOperation")
_WORDS = {
    _BUSY: "throttled, again and again",
    _FAULTY: "an internal error of Tencent Cloud's",
    _SILENT: "no answer",
    "AuthFailure": "the keys in the environment are refused",
    "ResourceNotFound.Role": "no such role: it is made beforehand",
    "FailedOperation.QcsRoleNotFound": "no such role: it is made beforehand",
    "ResourceNotFound.Vpc": "no such VPC or subnet: it is made beforehand",
    "ResourceNotFound.Ckafka": "no such CKafka instance or topic",
    "FailedOperation.TopicNotExist": "no such CKafka topic",
}


class CallRefused(DevkitError):  # noqa: N818 - reads as a fact
    """A call of the API that failed: `action` as in a permission, `code` its symbol."""

    def __init__(self, action: str, code: str) -> None:
        said = _explain(action, code)
        self.action, self.code = action, code
        super().__init__(said if self.is_denied else f"{action}: {said}")

    @property
    def is_denied(self) -> bool:
        """Tell whether the permission is lacking."""
        return self.code.startswith(_DENIED)

    def is_one_of(self, *codes: str) -> bool:
        """Tell whether it is one of these symbols, or of a finer kind of one."""
        return any(f"{self.code}.".startswith(f"{code}.") for code in codes)


class Api(Protocol):
    """The API, in one region unless told otherwise."""

    def call(
        self, service: str, action: str, payload: Members, *, region: str | None = None
    ) -> Members:
        """Call an action; give the answer's members. Raises CallRefused."""


class SdkApi:
    """The API, called by the official SDK with the deployer's keys."""

    def __init__(self, access: Access, *, region: str, clock: Clock) -> None:
        silence_libraries()  # the SDK logs requests whole, secrets and all
        self._access, self._region, self._clock = access, region, clock
        self._clients: dict[tuple[str, str], AbstractClient] = {}

    def call(
        self, service: str, action: str, payload: Members, *, region: str | None = None
    ) -> Members:
        """Call an action; give the answer's members. Raises CallRefused."""
        client = self._client(service, region or self._region)
        repeats = {_BUSY}
        if action.startswith(_READS):
            repeats |= {_FAULTY, _SILENT}
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer: Members = client.call_json(action, payload)
                return dict(answer["Response"])
            except TencentCloudSDKException as error:
                code = _code_of(error)
            except (KeyError, TypeError, ValueError):
                code = _SILENT  # an answer that is none
            if attempt == _ATTEMPTS or code.partition(".")[0] not in repeats:
                break
            self._clock.sleep(2.0 ** (attempt - 1))
        raise CallRefused(f"{service}:{action}", code)

    def _client(self, service: str, region: str) -> AbstractClient:
        key = (service, region)
        if key not in self._clients:
            access = self._access
            credential = Credential(access.secret_id, access.secret_key, access.token)
            profile = ClientProfile(httpProfile=_http_profile(access.endpoint(service)))
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
    """Give the API's symbol for an error, never its text: that may repeat a request."""
    code = error.get_code()
    if code == "ServerNetworkError":  # the SDK's for a status that is not 200
        return _SILENT
    is_known = isinstance(code, str) and _SYMBOL.fullmatch(code)
    return str(code) if is_known else "unreadable answer"


def _explain(action: str, code: str) -> str:
    if code.startswith(_DENIED):
        return f"denied {action}"
    known = [word for symbol, word in _WORDS.items() if code.startswith(symbol)]
    return f"{known[0]} ({code})" if known else code
