"""Evidence in COS, as `cos://bucket-appid/prefix?region=…`, by S3's protocol.

COS heeds no condition of S3's on a put and knows none of its checksums: so neither is
sent. The bucket's own default encrypts the objects.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kycourier.adapters.evidence_key import is_key
from kycourier.adapters.object_store import (
    NO_BUCKET,
    Dialect,
    ObjectEvidenceStore,
)
from kycourier.adapters.s3_client import build_clients, spell_credentials
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.tencent.credentials import demand_credentials, read_credentials
from kycourier.adapters.tencent.endpoints import find_bucket, is_address
from kycourier.adapters.tencent.resources import parse_resource
from kycourier.core.errors import EvidenceUnavailable
from kycourier.setting_forms import Place

if TYPE_CHECKING:  # obstore has these for type checkers alone
    from obstore.store import S3Config, S3Credential

_PLACE = re.compile(
    r"(?P<bucket>[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?-[1-9][0-9]{4,11})"
    r"(?:/(?P<prefix>.*?)/?)?"
)
_COS = Dialect(
    put_mode="overwrite",
    may_get="cos:GetObject",
    may_put="cos:PutObject",
    may_list="cos:GetBucket",
    no_bucket=f"{NO_BUCKET}, or denied cos:GetBucket on it",
)


def open_bucket(place: Place, around: Surroundings) -> ObjectEvidenceStore:
    """Open a bucket and look whether it is there.

    Raises EvidenceUnavailable, SettingError.
    """
    form = "bucket-appid/prefix"
    resource = parse_resource(
        place, name=_PLACE, form=form, failure=EvidenceUnavailable
    )
    found = _PLACE.fullmatch(resource.name)
    bucket, prefix = found.group("bucket", "prefix") if found else ("", "")
    if prefix and not is_key(prefix):
        raise EvidenceUnavailable(f"must be cos://{form}?region=…, of plain names")
    environ = around.environ
    demand_credentials(environ, failure=EvidenceUnavailable)
    opened = ObjectEvidenceStore(
        build_clients(
            bucket,
            prefix=prefix or "",
            config=_locate(bucket, resource.region, environ),
            credentials=lambda: _find_credentials(environ),
        ),
        dialect=_COS,
        seconds_left=around.seconds_left,
    )
    opened.prove()
    return opened


def _locate(bucket: str, region: str, environ: Mapping[str, str]) -> "S3Config":
    """Say where the bucket is. What is said here, obstore does not look up itself."""
    endpoint = find_bucket(environ, bucket, region)
    return {
        "region": region,
        "endpoint": endpoint,
        "aws_endpoint_url_s3": endpoint,
        "virtual_hosted_style_request": not is_address(endpoint),
        "unsigned_payload": False,
        "skip_signature": False,
    }


def _find_credentials(environ: Mapping[str, str]) -> "S3Credential":
    """Give the credentials of this moment; obstore asks before every request."""
    found = read_credentials(environ)
    if found is None:
        raise EvidenceUnavailable
    return spell_credentials(found.secret_id, found.secret_key, found.token)
