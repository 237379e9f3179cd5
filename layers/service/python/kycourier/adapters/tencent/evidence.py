"""Opens evidence in COS, `cos://bucket-appid/prefix?region=…`, by the S3 protocol.

COS ignores S3's conditional puts and does not know its checksums, so neither is sent.
The bucket's default encryption applies.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kycourier.adapters.context import AdapterContext
from kycourier.adapters.s3.client import build_clients, to_s3_credential
from kycourier.adapters.s3.dialect import NO_BUCKET, S3Dialect
from kycourier.adapters.s3.evidence import S3EvidenceStore
from kycourier.adapters.tencent.credentials import read_credentials, require_credentials
from kycourier.adapters.tencent.urls import find_bucket, is_address, parse_resource
from kycourier.core.errors import EvidenceUnavailableError
from kycourier.core.evidence import is_key
from kycourier.settings.resource_url import ResourceUrl

if TYPE_CHECKING:  # obstore defines these only in its stubs
    from obstore.store import S3Config, S3Credential

_BUCKET_PATH = re.compile(
    r"(?P<bucket>[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?-[1-9][0-9]{4,11})"
    r"(?:/(?P<prefix>.*?)/?)?"
)
_COS = S3Dialect(
    put_mode="overwrite",
    get_permission="cos:GetObject",
    put_permission="cos:PutObject",
    list_permission="cos:GetBucket",
    no_bucket=f"{NO_BUCKET}, or denied cos:GetBucket on it",
)


def open_bucket(url: ResourceUrl, context: AdapterContext) -> S3EvidenceStore:
    """Opens a bucket and checks that it can be listed.

    Raises:
        EvidenceUnavailableError: the URL is wrong, or the bucket cannot be used.
        SettingError: the environment's endpoint is invalid.
    """
    form = "bucket-appid/prefix"
    resource = parse_resource(
        url, name=_BUCKET_PATH, form=form, failure=EvidenceUnavailableError
    )
    match = _BUCKET_PATH.fullmatch(resource.name)
    bucket, prefix = match.group("bucket", "prefix") if match else ("", "")
    if prefix and not is_key(prefix):
        raise EvidenceUnavailableError(
            f"must be cos://{form}?region=…, with plain names"
        )
    environ = context.environ
    require_credentials(environ, failure=EvidenceUnavailableError)
    store = S3EvidenceStore(
        build_clients(
            bucket,
            prefix=prefix or "",
            config=_s3_config(bucket, resource.region, environ),
            credentials=lambda: _current_credential(environ),
        ),
        dialect=_COS,
        seconds_left=context.seconds_left,
    )
    store.prove()
    return store


def _s3_config(bucket: str, region: str, environ: Mapping[str, str]) -> "S3Config":
    """Builds the bucket's settings; obstore reads those left out elsewhere."""
    endpoint = find_bucket(environ, bucket, region)
    return {
        "region": region,
        "endpoint": endpoint,
        "aws_endpoint_url_s3": endpoint,
        "virtual_hosted_style_request": not is_address(endpoint),
        "unsigned_payload": False,
        "skip_signature": False,
    }


def _current_credential(environ: Mapping[str, str]) -> "S3Credential":
    """Returns the current credentials; obstore calls this before every request."""
    current = read_credentials(environ)
    if current is None:
        raise EvidenceUnavailableError
    return to_s3_credential(current.secret_id, current.secret_key, current.token)
