"""Reads secrets from Tencent Cloud's Secrets Manager (SSM), without a cache.

A read must name a version. The owner chooses version names; the default is
`SSM_Current`. The URL's version is read, else the latest one, else, where versions
cannot be listed, `SSM_Current`.
"""

from base64 import b64decode
from collections.abc import Callable
from typing import TypeVar

from msgspec import UNSET, Struct, UnsetType, field

from kycourier.adapters.context import AdapterContext
from kycourier.adapters.http.api_calls import CallFailedError, run
from kycourier.adapters.tencent.client import TencentClient
from kycourier.adapters.tencent.errors import explain, is_unknown_call
from kycourier.adapters.tencent.urls import SECRET, VERSION, parse_resource
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret, repr_only, scrub_traceback
from kycourier.settings.resource_url import ResourceUrl
from kycourier.settings.secret_values import decode_secret

T = TypeVar("T")
EMPTY = "secret is empty: put its value"
API = "2019-09-23"
DEFAULT_VERSION = "SSM_Current"
_GET, _LIST = "GetSecretValue", "ListSecretVersionIds"
_EMPTY_VALUES = (b"", b"\n")  # SSM rejects empty text, so deployments write a newline


class SsmSecret:
    """The secret `tencent-ssm://name?region=…[&version=…]`: text, or UTF-8 bytes."""

    def __init__(self, url: ResourceUrl, context: AdapterContext) -> None:
        """Parses the URL. Raises StoreUnavailableError, SettingError."""
        resource = parse_resource(
            url,
            name=SECRET,
            version=VERSION,
            form="name",
            failure=StoreUnavailableError,
        )
        self._name, self._version = resource.name, resource.version
        self._api = TencentClient("ssm", API, resource.region, context)

    @scrub_traceback
    def get(self) -> Secret:
        """Reads it now. Raises StoreUnavailableError if it is missing or empty."""
        version = self._version or self._latest_version()
        parameters = {"SecretName": self._name, "VersionId": version}
        value = self._run(_GET, lambda: self._api.call(_GET, parameters, _Value))
        content = _decode(value.binary) if value.binary else (value.text or "").encode()
        if content in _EMPTY_VALUES:
            raise StoreUnavailableError(EMPTY)
        return decode_secret(content)

    def _latest_version(self) -> str:
        """Returns the name of the version created last."""
        versions = self._run(_LIST, self._list)
        if versions is UNSET:
            return DEFAULT_VERSION
        if not versions:
            raise StoreUnavailableError(EMPTY)
        return max(versions, key=lambda each: (each.created_at, each.version)).version

    def _list(self) -> "_Listed":
        """Lists the versions; UNSET if the call is unknown. Raises CallFailedError."""
        try:
            return self._api.call(_LIST, {"SecretName": self._name}, _Versions).versions
        except CallFailedError as failed:
            if not is_unknown_call(failed):
                raise
        return UNSET

    def _run(self, action: str, call: Callable[[], T]) -> T:
        return run(
            call,
            explain=explain,
            action=f"ssm:{action}",
            kind="secret",
            failure=StoreUnavailableError,
        )


@repr_only()
class _Value(Struct):
    text: str | None = field(default=None, name="SecretString")
    binary: str | None = field(default=None, name="SecretBinary")


@repr_only()
class _Version(Struct):
    version: str = field(name="VersionId")
    created_at: int = field(name="CreateTime")


_Listed = list[_Version] | None | UnsetType


@repr_only()
class _Versions(Struct):
    versions: _Listed = field(default=UNSET, name="Versions")


def _decode(binary: str) -> bytes:
    try:
        return b64decode(binary, validate=True)
    except ValueError:
        pass  # raised below: the original error may hold the secret
    raise StoreUnavailableError("secret is not Base64")
