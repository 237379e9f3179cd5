"""Buckets of COS with the deployer's keys: are they there, and zips put into one."""

import obstore
from obstore.exceptions import BaseError

from kycourier.adapters.s3_client import build_clients, spell_credentials
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.tencent.endpoints import find_bucket, is_address
from kycourier.adapters.tencent.evidence import open_bucket
from kycourier.core.errors import EvidenceUnavailable
from kycourier.ports import Clock
from kycourier.setting_forms import Place
from kycourier_devkit.deploy.access import Access
from kycourier_devkit.errors import DevkitError

_UPLOAD_SECONDS = 300


class UploadFailed(DevkitError):  # noqa: N818 - reads as a fact
    """A zip did not get into the bucket."""


class Buckets:
    """The account's buckets."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._around = Surroundings(clock=clock, environ=access.environ())

    def problem(self, name: str, region: str) -> str | None:
        """Say why a bucket cannot be listed; None when it can."""
        try:
            open_bucket(Place("cos", f"{name}?region={region}"), self._around)
        except EvidenceUnavailable as unavailable:
            return unavailable.reason
        return None

    def put(self, name: str, region: str, key: str, content: bytes) -> None:
        """Put an object whose key tells its bytes: once more is the same again.

        Raises UploadFailed.
        """
        access = self._access
        endpoint = find_bucket(access.environ(), name, region)
        build = build_clients(
            name,
            prefix="",
            config={
                "region": region,
                "endpoint": endpoint,
                "aws_endpoint_url_s3": endpoint,
                "virtual_hosted_style_request": not is_address(endpoint),
                "unsigned_payload": False,
                "skip_signature": False,
            },
            credentials=lambda: spell_credentials(
                access.secret_id, access.secret_key, access.token
            ),
        )
        try:
            obstore.put(build(_UPLOAD_SECONDS), key, content, use_multipart=False)
        except BaseError as error:
            reason = type(error).__name__  # its text holds URLs
        else:
            return
        raise UploadFailed(f"cos:PutObject into {name}: {reason}")
