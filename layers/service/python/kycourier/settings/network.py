"""Refuses by name what the environment asks of connections and is not supported.

Ignoring it would reach the wrong endpoint, or none, with a cause that misleads.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from kycourier.core.errors import SettingError

PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_SWITCHES = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")
_AWS = {"dynamodb", "s3", "eventbridge", "sqs", "aws-secretsmanager", "aws-ssm"}
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def check_network(
    environ: Mapping[str, str], *, kyc_url: str, schemes: Iterable[str]
) -> None:
    """Checks the variables of proxies and of AWS's endpoints.

    Args:
        environ: The environment.
        kyc_url: The platform's URL.
        schemes: Those of the settings' URLs.

    Raises:
        SettingError: one is set that this service does not heed.
    """
    if (variable := find_proxy(environ, kyc_url=kyc_url)) is not None:
        reason = "is not supported: unset it, or name the host in NO_PROXY"
        raise SettingError(variable, reason)
    if _AWS.isdisjoint(schemes):
        return
    for variable in _SWITCHES:
        if environ.get(variable, "").lower() == "true":
            reason = "is not supported: set AWS_ENDPOINT_URL instead"
            raise SettingError(variable, reason)
    if environ.get("AWS_CA_BUNDLE"):
        reason = "is not supported: set SSL_CERT_FILE instead"
        raise SettingError("AWS_CA_BUNDLE", reason)


def find_proxy(environ: Mapping[str, str], *, kyc_url: str) -> str | None:
    """Returns the variable that puts a proxy before the platform; None if none does."""
    host = urlsplit(kyc_url).hostname or ""
    if host in _LOOPBACK or _is_direct(host, environ):
        return None
    return next((each for each in PROXIES if environ.get(each)), None)


def _is_direct(host: str, environ: Mapping[str, str]) -> bool:
    """Checks whether `NO_PROXY` names the host, a domain of it, or all hosts."""
    text = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    names = [each.strip().lstrip(".") for each in text.split(",")]
    return any(
        each in {"*", host} or (each and host.endswith(f".{each}")) for each in names
    )
