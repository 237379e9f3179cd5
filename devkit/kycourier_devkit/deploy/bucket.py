"""Buckets of COS with the deployer's keys: are they there, and zips put into one."""

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from kycourier.adapters.object_store import ObjectEvidenceStore
from kycourier.adapters.surroundings import endless
from kycourier.core.errors import EvidenceUnavailable
from kycourier_devkit.deploy.access import Access
from kycourier_devkit.errors import DevkitError

if TYPE_CHECKING:  # obstore has these for type checkers alone
    from obstore.store import S3Credential

_UPLOAD_SECONDS, _CONNECT_SECONDS = 300, 5
_NEVER_KEPT = datetime.fromtimestamp(0, timezone.utc)


class UploadFailed(DevkitError):  # noqa: N818 - reads as a fact
    """A zip did not get into the bucket."""


class Buckets:
    """The account's buckets."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def problem(self, name: str, region: str) -> str | None:
        """Say why a bucket cannot be listed; None when it can."""
        store = ObjectEvidenceStore(
            lambda seconds: self._open(name, region, seconds),
            service="cos",
            seconds_left=endless,
        )
        try:
            store.prove()
        except EvidenceUnavailable as unavailable:
            return unavailable.reason
        return None

    def put(self, name: str, region: str, key: str, content: bytes) -> None:
        """Put an object whose key tells its bytes; one that is there is left.

        Raises UploadFailed.
        """
        store = self._open(name, region, _UPLOAD_SECONDS)
        try:
            obstore.head(store, key)
        except (NotFoundError, FileNotFoundError):
            is_there = False
        except BaseError:
            is_there = False  # who may put need not be allowed to look
        else:
            is_there = True
        try:
            if not is_there:
                obstore.put(store, key, content, use_multipart=False)
        except BaseError as error:
            reason = type(error).__name__  # its text holds URLs
        else:
            return
        raise UploadFailed(f"cos:PutObject into {name}: {reason}")

    def _open(self, name: str, region: str, seconds: int) -> S3Store:
        other = self._access.endpoint("cos")
        endpoint = other or f"https://{name}.cos.{region}.myqcloud.com"
        return S3Store(
            name,
            config={
                "region": region,
                "endpoint": endpoint,
                "virtual_hosted_style_request": other is None,
                "unsigned_payload": False,
                "skip_signature": False,
            },
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
                "timeout": timedelta(seconds=seconds),
            },
            retry_config={"max_retries": 2},
            credential_provider=self._credentials,
        )

    def _credentials(self) -> "S3Credential":
        return {
            "access_key_id": self._access.secret_id,
            "secret_access_key": self._access.secret_key,
            "token": self._access.token,
            "expires_at": _NEVER_KEPT,
        }
