"""Parses Tencent Cloud's resource URLs and finds its services' endpoints."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from kycourier.adapters.http.endpoints import find_endpoint
from kycourier.core.errors import KycourierError, SettingError
from kycourier.core.redaction import repr_only
from kycourier.settings.resource_url import ResourceUrl

BUS = re.compile(r"eb-[A-Za-z0-9_-]{1,64}")
SECRET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")  # of a secret
_GENERAL = "TENCENTCLOUD_ENDPOINT_URL"
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,20}){1,3}(?:-[0-9]{1,2})?")


@repr_only()
class Resource(Struct, frozen=True, kw_only=True):
    """A resource's name and region, and a secret's version if the URL has one."""

    name: str
    region: str
    version: str | None = None


def parse_resource(
    url: ResourceUrl,
    *,
    name: re.Pattern[str],
    form: str,
    failure: type[KycourierError],
    version: re.Pattern[str] | None = None,
) -> Resource:
    """Parses a resource's URL.

    Args:
        url: The URL.
        name: The pattern of its name.
        form: The name's form, as the error shows it.
        failure: The error to raise.
        version: The pattern of a version; None if the URL takes none.

    Raises:
        KycourierError: of the class `failure`; it does not repeat the URL.
    """
    resource, _, query = url.rest.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    parameters = dict(pairs)
    known = {"region", "version"} if version else {"region"}
    if not name.fullmatch(resource):
        raise failure(f"must be {url.scheme}://{form}?region=…")
    if len(parameters) < len(pairs) or parameters.keys() - known:
        raise failure(f"takes the parameters {' and '.join(sorted(known))}, each once")
    region = parameters.get("region")
    if not region:
        raise failure("has no region: append ?region=ap-…")
    if not _REGION.fullmatch(region):
        raise failure("has an invalid region: use one like ap-guangzhou")
    chosen = parameters.get("version")
    if chosen is not None and not (version and version.fullmatch(chosen)):
        raise failure("has an invalid version")
    return Resource(name=resource, region=region, version=chosen)


def find_api(environ: Mapping[str, str], service: str) -> str:
    """Returns the base URL of an API service (`ssm`, `eb`). Raises SettingError."""
    return _find(environ, service) or f"https://{service}.tencentcloudapi.com"


def find_bucket(environ: Mapping[str, str], bucket: str, region: str) -> str:
    """Returns the base URL of a bucket in COS.

    The bucket is part of the host name; if the host is an address, it is part of the
    path.

    Raises:
        SettingError: the environment's endpoint is invalid.
    """
    endpoint = _find(environ, "cos") or f"https://cos.{region}.myqcloud.com"
    if is_address(endpoint):
        return endpoint
    return endpoint.replace("://", f"://{bucket}.")


def is_address(url: str) -> bool:
    """Checks whether a URL's host is an IP address or `localhost`."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or bool(ip_address(host))
    except ValueError:
        return False


def _find(environ: Mapping[str, str], service: str) -> str | None:
    specific = f"{_GENERAL}_{service.upper()}"
    endpoint = find_endpoint(environ, specific, _GENERAL)
    if endpoint and urlsplit(endpoint).path:
        variable = specific if environ.get(specific) else _GENERAL
        raise SettingError(variable, "must name a host without a path")
    return endpoint
