"""Where Tencent Cloud's services answer, unless the environment names another place."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from kycourier.adapters import endpoints
from kycourier.core.errors import SettingError

_GENERAL = "TENCENTCLOUD_ENDPOINT_URL"


def find_api(environ: Mapping[str, str], service: str) -> str:
    """Give the base URL of a service of the API (`ssm`, `eb`). Raises SettingError."""
    return _find(environ, service) or f"https://{service}.tencentcloudapi.com"


def find_bucket(environ: Mapping[str, str], bucket: str, region: str) -> str:
    """Give the base URL of a bucket in COS.

    The bucket is a part of the host's name, except where that is an address: there the
    bucket is a part of the path. Raises SettingError.
    """
    own = _find(environ, "cos") or f"https://cos.{region}.myqcloud.com"
    return own if is_address(own) else own.replace("://", f"://{bucket}.")


def is_address(url: str) -> bool:
    """Tell whether a URL's host has no name that another could stand before."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or bool(ip_address(host))
    except ValueError:
        return False


def _find(environ: Mapping[str, str], service: str) -> str | None:
    own = f"{_GENERAL}_{service.upper()}"
    found = endpoints.find_endpoint(environ, own, _GENERAL)
    if found and urlsplit(found).path:
        variable = own if environ.get(own) else _GENERAL
        raise SettingError(variable, "must name a host without a path")
    return found
