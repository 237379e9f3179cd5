"""Finds the endpoints of AWS's services, which the environment may override."""

from collections.abc import Mapping

from kycourier.adapters.http import endpoints

_GENERAL = "AWS_ENDPOINT_URL"
_VARIABLE_NAMES = {"events": "eventbridge", "secretsmanager": "secrets_manager"}
_SUFFIXES = {  # by the region's prefix
    "cn-": "amazonaws.com.cn",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
}


def find_endpoint(environ: Mapping[str, str], service: str) -> str | None:
    """Returns the environment's endpoint for a service; None if it sets none.

    Raises:
        SettingError: the endpoint is neither https nor http on loopback.
    """
    specific = f"{_GENERAL}_{_VARIABLE_NAMES.get(service, service).upper()}"
    return endpoints.find_endpoint(environ, specific, _GENERAL)


def default_endpoint(service: str, region: str) -> str:
    """Returns AWS's own endpoint of a service in a region."""
    suffixes = [name for start, name in _SUFFIXES.items() if region.startswith(start)]
    return f"https://{service}.{region}.{suffixes[0] if suffixes else 'amazonaws.com'}"
