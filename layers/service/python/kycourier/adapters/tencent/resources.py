"""What a URL of Tencent Cloud's says: `scheme://name?region=ap-guangzhou`."""

import re
from urllib.parse import parse_qsl

from msgspec import Struct

from kycourier.core.errors import KycourierError
from kycourier.core.hidden import shows
from kycourier.setting_forms import Place

BUS = re.compile(r"eb-[A-Za-z0-9_-]{1,64}")
SECRET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")  # of a secret
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,20}){1,3}(?:-[0-9]{1,2})?")


@shows()
class Resource(Struct, frozen=True, kw_only=True):
    """A name, the region it is in, and a secret's version where one is asked for."""

    name: str
    region: str
    version: str | None = None


def parse_resource(
    place: Place,
    *,
    name: re.Pattern[str],
    form: str,
    failure: type[KycourierError],
    version: re.Pattern[str] | None = None,
) -> Resource:
    """Read a place's URL.

    Its name must match; `form` is how that is told. A `version` may be given where it
    has a pattern. Raises `failure`, without the URL.
    """
    told, _, query = place.where.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    given = dict(pairs)
    known = {"region", "version"} if version else {"region"}
    if not name.fullmatch(told):
        raise failure(f"must be {place.scheme}://{form}?region=…")
    if len(given) < len(pairs) or given.keys() - known:
        raise failure(f"takes the parameters {' and '.join(sorted(known))}, each once")
    if not given.get("region"):
        raise failure("names no region: end it in ?region=ap-…")
    if not _REGION.fullmatch(given["region"]):
        raise failure("names a region that is none: they look like ap-guangzhou")
    wanted = given.get("version")
    if wanted is not None and not (version and version.fullmatch(wanted)):
        raise failure("names a version that is none")
    return Resource(name=told, region=given["region"], version=wanted)
