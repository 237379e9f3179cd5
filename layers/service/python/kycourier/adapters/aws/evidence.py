"""Evidence in S3, as `s3://bucket/prefix`: where it lies, and with whose credentials.

The bucket's own default encrypts the objects: no header of ours overrides its key.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from kycourier.adapters.aws.account import account_of
from kycourier.adapters.aws.calls import run
from kycourier.adapters.aws.endpoints import find_endpoint, usual_endpoint
from kycourier.adapters.evidence_key import is_key
from kycourier.adapters.object_store import Dialect, ObjectEvidenceStore
from kycourier.adapters.s3_client import build_clients, spell_credentials
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import EvidenceUnavailable
from kycourier.setting_forms import Place

if TYPE_CHECKING:  # obstore has these for type checkers alone
    from obstore.store import S3Config, S3Credential

T = TypeVar("T")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_S3 = Dialect(
    put_mode="create",
    may_get="s3:GetObject",
    may_put="s3:PutObject",
    may_list="s3:ListBucket",
)


def open_bucket(place: Place, around: Surroundings) -> ObjectEvidenceStore:
    """Open a bucket and look whether it is there. Raises EvidenceUnavailable."""
    bucket, _, prefix = place.where.partition("/")
    prefix = prefix.removesuffix("/")
    if not _BUCKET.fullmatch(bucket) or not (is_key(prefix) or not prefix):
        raise EvidenceUnavailable("must be s3://bucket/prefix, of plain names")
    config = _locate(bucket, around)
    credentials = _find_credentials(around)
    opened = ObjectEvidenceStore(
        build_clients(bucket, prefix=prefix, config=config, credentials=credentials),
        dialect=_S3,
        seconds_left=around.seconds_left,
    )
    opened.prove()
    return opened


def _locate(bucket: str, around: Surroundings) -> "S3Config":
    """Say where the bucket is. What is said here, obstore does not look up itself."""
    region = _run(account_of(around).region)
    own = find_endpoint(around.environ, "s3")
    by_name = own is None and "." not in bucket  # TLS's wildcard covers one label
    endpoint = own or usual_endpoint("s3", region)
    if by_name:
        endpoint = endpoint.replace("://", f"://{bucket}.")
    return {
        "region": region,
        "endpoint": endpoint,
        "aws_endpoint_url_s3": endpoint,
        "virtual_hosted_style_request": by_name,
        "checksum_algorithm": "sha256",
        "unsigned_payload": False,
        "skip_signature": False,
    }


def _find_credentials(around: Surroundings) -> "Callable[[], S3Credential]":
    """Find whom to ask for credentials, before every request: they know their end."""
    account = account_of(around)

    def ask() -> "S3Credential":
        found = account.credentials()
        return spell_credentials(found.key_id, found.key, found.token)

    _run(ask)
    return ask


def _run(find: Callable[[], T]) -> T:
    return run(find, action="s3:ListBucket", kind="bucket", failure=EvidenceUnavailable)
