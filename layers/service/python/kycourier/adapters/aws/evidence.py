"""Evidence in S3, as `s3://bucket/prefix`: where it lies, and with whose credentials.

The bucket's own default encrypts the objects: no header of ours overrides its key.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from kycourier.adapters.aws.endpoints import find_endpoint
from kycourier.adapters.evidence_key import is_key
from kycourier.adapters.object_store import Dialect, ObjectEvidenceStore
from kycourier.adapters.s3_client import build_clients, spell_credentials
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import EvidenceUnavailable
from kycourier.setting_forms import Place

if TYPE_CHECKING:  # obstore has these for type checkers alone
    from obstore.store import S3Config, S3Credential

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SUFFIXES = {"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu"}
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
    region = _find_region(around)
    if not region:
        raise EvidenceUnavailable("no region: set AWS_REGION")
    own = find_endpoint(around.environ, "s3")
    by_name = own is None and "." not in bucket  # TLS's wildcard covers one label
    endpoint = own or _endpoint(region)
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


def _find_region(around: Surroundings) -> str | None:
    environ = around.environ
    named = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if named:
        return named
    from kycourier.adapters.aws.calls import run  # noqa: PLC0415 - 200 ms, as boto3
    from kycourier.adapters.aws.clients import clients_of  # noqa: PLC0415 - the same

    return run(
        clients_of(around).region,
        action="s3:ListBucket",
        kind="bucket",
        failure=EvidenceUnavailable,
    )


def _endpoint(region: str) -> str:
    others = [name for start, name in _SUFFIXES.items() if region.startswith(start)]
    return f"https://s3.{region}.{others[0] if others else 'amazonaws.com'}"


def _find_credentials(around: Surroundings) -> "Callable[[], S3Credential]":
    """Find whom to ask for credentials, before every request: they know their end."""
    environ = around.environ
    if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        return lambda: spell_credentials(
            environ["AWS_ACCESS_KEY_ID"],
            environ["AWS_SECRET_ACCESS_KEY"],
            environ.get("AWS_SESSION_TOKEN"),
        )
    from kycourier.adapters.aws.calls import run  # noqa: PLC0415 - 200 ms, as boto3
    from kycourier.adapters.aws.clients import clients_of  # noqa: PLC0415 - the same

    clients = clients_of(around)
    run(
        clients.credentials,
        action="s3:ListBucket",
        kind="bucket",
        failure=EvidenceUnavailable,
    )

    def ask() -> "S3Credential":
        frozen = clients.credentials()
        return spell_credentials(frozen.access_key, frozen.secret_key, frozen.token)

    return ask
