"""Refuses by name what the environment asks of connections and is not supported.

Ignoring it would reach the wrong endpoint, or none, with a cause that misleads.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from kycourier.core.errors import SettingError

PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_SWITCHES = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")
_CA_BUNDLE = "AWS_CA_BUNDLE"
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
    host = urlsplit(kyc_url).hostname or ""
    if host not in _LOOPBACK and not _is_direct(host, environ):
        for name in PROXIES:
            if environ.get(name):
                raise SettingError(
                    name, f"is not supported: unset it, or name {host} in NO_PROXY"
                )
    if _AWS.isdisjoint(schemes):
        return
    for name in _SWITCHES:
        if environ.get(name, "").lower() == "true":
            raise SettingError(name, "is not supported: set AWS_ENDPOINT_URL instead")
    if environ.get(_CA_BUNDLE):
        raise SettingError(_CA_BUNDLE, "is not supported: set SSL_CERT_FILE instead")


def _is_direct(host: str, environ: Mapping[str, str]) -> bool:
    """Checks whether `NO_PROXY` names the host, a domain of it, or all hosts."""
    text = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    names = [each.strip().lstrip(".") for each in text.split(",")]
    return any(
        each in {"*", host} or (each and host.endswith(f".{each}")) for each in names
    )
