"""Opens evidence in S3, `s3://bucket/prefix[?sse=…&kms_key=…]`.

Without `sse` no header is sent: the bucket's default encryption applies.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl

from kycourier.adapters.aws.credentials import shared_credentials
from kycourier.adapters.aws.errors import explain
from kycourier.adapters.aws.urls import default_endpoint, find_endpoint
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.http.api_calls import run
from kycourier.adapters.s3.client import build_clients, to_s3_credential
from kycourier.adapters.s3.dialect import S3Dialect
from kycourier.adapters.s3.evidence import S3EvidenceStore
from kycourier.core.errors import EvidenceUnavailableError
from kycourier.core.evidence import is_key
from kycourier.settings.resource_url import ResourceUrl

if TYPE_CHECKING:  # obstore defines these only in its stubs
    from obstore.store import S3Config, S3Credential

T = TypeVar("T")
_FORM = "s3://bucket/prefix[?sse=AES256|aws:kms|aws:kms:dsse&kms_key=…], plain names"
_SSE = {"AES256", "aws:kms", "aws:kms:dsse"}
_KMS_KEY = re.compile(r"[A-Za-z0-9:/_+=,.@-]{1,2048}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_S3 = S3Dialect(
    put_mode="create",
    get_permission="s3:GetObject",
    put_permission="s3:PutObject",
    list_permission="s3:ListBucket",
)


def open_bucket(url: ResourceUrl, context: AdapterContext) -> S3EvidenceStore:
    """Opens a bucket and checks that it can be listed.

    Raises:
        EvidenceUnavailableError: the URL is wrong, or the bucket cannot be used.
        SettingError: the environment's endpoint is invalid.
    """
    path, _, query = url.rest.partition("?")
    bucket, _, prefix = path.partition("/")
    prefix = prefix.removesuffix("/")
    if not _BUCKET.fullmatch(bucket) or not (is_key(prefix) or not prefix):
        raise EvidenceUnavailableError(f"must be {_FORM}")
    encryption = _parse_encryption(query)
    config = _s3_config(bucket, context) | encryption
    credentials = _credential_source(context)
    store = S3EvidenceStore(
        build_clients(bucket, prefix=prefix, config=config, credentials=credentials),
        dialect=_S3,
        seconds_left=context.seconds_left,
    )
    store.prove()
    return store


def _parse_encryption(query: str) -> "S3Config":
    """Returns the headers that ask for an encryption.

    Raises:
        EvidenceUnavailableError: the parameters are not those of `_FORM`.
    """
    options = dict(parse_qsl(query, keep_blank_values=True))
    sse, key = options.pop("sse", None), options.pop("kms_key", None)
    if options or (query and sse not in _SSE):
        raise EvidenceUnavailableError(f"must be {_FORM}")
    config: S3Config = {"server_side_encryption": sse} if sse else {}
    if key is None:
        return config
    if not _KMS_KEY.fullmatch(key) or sse not in {"aws:kms", "aws:kms:dsse"}:
        raise EvidenceUnavailableError("kms_key needs sse=aws:kms")
    return config | {"sse_kms_key_id": key}


def _s3_config(bucket: str, context: AdapterContext) -> "S3Config":
    """Builds the bucket's settings; obstore reads those left out elsewhere."""
    region = _run(shared_credentials(context).region)
    custom = find_endpoint(context.environ, "s3")
    # AWS's certificates only cover buckets whose names have no dot.
    virtual_hosted = custom is None and "." not in bucket
    endpoint = custom or default_endpoint("s3", region)
    if virtual_hosted:
        endpoint = endpoint.replace("://", f"://{bucket}.")
    return {
        "region": region,
        "endpoint": endpoint,
        "aws_endpoint_url_s3": endpoint,
        "virtual_hosted_style_request": virtual_hosted,
        "checksum_algorithm": "sha256",
        "unsigned_payload": False,
        "skip_signature": False,
    }


def _credential_source(context: AdapterContext) -> "Callable[[], S3Credential]":
    """Returns a function that obstore calls for credentials before every request."""
    provider = shared_credentials(context)

    def current() -> "S3Credential":
        credentials = provider.credentials()
        return to_s3_credential(credentials.key_id, credentials.key, credentials.token)

    _run(current)
    return current


def _run(find: Callable[[], T]) -> T:
    return run(
        find,
        explain=explain,
        action="s3:ListBucket",
        kind="bucket",
        failure=EvidenceUnavailableError,
    )
