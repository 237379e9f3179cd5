"""Checks COS buckets and uploads zips to them with the deployer's keys."""

import obstore
from obstore.exceptions import BaseError

from kycourier.adapters.context import AdapterContext
from kycourier.adapters.s3.client import build_clients, to_s3_credential
from kycourier.adapters.tencent.evidence import open_bucket
from kycourier.adapters.tencent.urls import find_bucket, is_address
from kycourier.core.errors import EvidenceUnavailableError
from kycourier.ports import Clock
from kycourier.settings.resource_url import ResourceUrl
from kycourier_devkit.deploy.tencent.credentials import DeployerCredentials
from kycourier_devkit.errors import DevkitError

_UPLOAD_SECONDS = 300


class UploadError(DevkitError):
    """A zip could not be stored in the bucket."""


class Buckets:
    """The account's buckets."""

    def __init__(self, credentials: DeployerCredentials, clock: Clock) -> None:
        self._credentials = credentials
        self._context = AdapterContext(clock=clock, environ=credentials.environ())

    def find_problem(self, name: str, region: str) -> str | None:
        """Returns why a bucket cannot be listed, or None."""
        try:
            open_bucket(ResourceUrl("cos", f"{name}?region={region}"), self._context)
        except EvidenceUnavailableError as unavailable:
            return unavailable.reason
        return None

    def put(self, name: str, region: str, key: str, content: bytes) -> None:
        """Stores an object. Its key is a digest, so storing it twice is harmless.

        Raises:
            UploadError: The bucket refused it or could not be reached.
        """
        credentials = self._credentials
        endpoint = find_bucket(credentials.environ(), name, region)
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
            credentials=lambda: to_s3_credential(
                credentials.secret_id, credentials.secret_key, credentials.token
            ),
        )
        try:
            obstore.put(build(_UPLOAD_SECONDS), key, content, use_multipart=False)
        except BaseError as error:
            reason = type(error).__name__  # its text holds URLs
        else:
            return
        raise UploadError(f"cos:PutObject into {name}: {reason}")
