"""Secrets in Tencent Cloud's Secrets Manager (SSM), read anew each time: never kept.

A secret's versions have names that its owner chooses (`SSM_Current` where a person or a
cloud product chose none), and reading takes one: the one made last, or the one named.
A place that knows no listing of versions is asked for `SSM_Current`.
"""

from base64 import b64decode
from collections.abc import Callable
from typing import TypeVar

from msgspec import UNSET, Struct, UnsetType, field

from kycourier.adapters.secret_text import read_written_secret
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.tencent.calls import NotDone, run
from kycourier.adapters.tencent.clients import ApiClient
from kycourier.adapters.tencent.resources import SECRET, VERSION, parse_resource
from kycourier.core.errors import StoreUnavailable, forgetful
from kycourier.core.hidden import Secret, shows
from kycourier.setting_forms import Place

T = TypeVar("T")
EMPTY = "secret is empty: put its value"
API = "2019-09-23"
UNNAMED = "SSM_Current"  # the version that nobody named
_GET, _LIST = "GetSecretValue", "ListSecretVersionIds"
_UNFILLED = (b"", b"\n")  # SSM keeps no empty text, so a deployment writes a newline


class SsmSecret:
    """The secret `tencent-ssm://name?region=…[&version=…]`: text, or UTF-8 bytes."""

    def __init__(self, place: Place, around: Surroundings) -> None:
        """Read the URL. Raises StoreUnavailable, SettingError."""
        resource = parse_resource(
            place,
            name=SECRET,
            version=VERSION,
            form="name",
            failure=StoreUnavailable,
        )
        self._name, self._version = resource.name, resource.version
        self._api = ApiClient("ssm", API, resource.region, around)

    @forgetful
    def load(self) -> Secret:
        """Read it now. Raises StoreUnavailable when it is missing or empty."""
        asked = {"SecretName": self._name, "VersionId": self._version or self._latest()}
        kept = self._run(_GET, lambda: self._api.ask(_GET, asked, _Value))
        content = _decode(kept.binary) if kept.binary else (kept.text or "").encode()
        if content in _UNFILLED:
            raise StoreUnavailable(EMPTY)
        return read_written_secret(content)

    def _latest(self) -> str:
        """Name the version made last."""
        versions = self._run(_LIST, self._list)
        if versions is UNSET:
            return UNNAMED
        if not versions:
            raise StoreUnavailable(EMPTY)
        return max(versions, key=lambda each: (each.created_at, each.version)).version

    def _list(self) -> "_Listed":
        """List the versions; UNSET where that is not known. Raises NotDone."""
        try:
            return self._api.ask(_LIST, {"SecretName": self._name}, _Versions).versions
        except NotDone as not_done:
            if not not_done.is_unknown:
                raise
        return UNSET

    def _run(self, action: str, call: Callable[[], T]) -> T:
        return run(
            call, action=f"ssm:{action}", kind="secret", failure=StoreUnavailable
        )


@shows()
class _Value(Struct):
    text: str | None = field(default=None, name="SecretString")
    binary: str | None = field(default=None, name="SecretBinary")


@shows()
class _Version(Struct):
    version: str = field(name="VersionId")
    created_at: int = field(name="CreateTime")


_Listed = list[_Version] | None | UnsetType


@shows()
class _Versions(Struct):
    versions: _Listed = field(default=UNSET, name="Versions")


def _decode(binary: str) -> bytes:
    try:
        return b64decode(binary, validate=True)
    except ValueError:
        pass  # raised below: the foreign error may hold what was read
    raise StoreUnavailable("secret is not Base64")
