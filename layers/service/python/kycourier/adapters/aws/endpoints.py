"""Where AWS's services answer, and where when the environment names another place."""

from collections.abc import Mapping

from kycourier.adapters import endpoints

_GENERAL = "AWS_ENDPOINT_URL"
_SPELLED = {"events": "eventbridge", "secretsmanager": "secrets_manager"}
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
}


def find_endpoint(environ: Mapping[str, str], service: str) -> str | None:
    """Give a service's own endpoint, or the general one. Raises SettingError."""
    own = f"{_GENERAL}_{_SPELLED.get(service, service).upper()}"
    return endpoints.find_endpoint(environ, own, _GENERAL)


def usual_endpoint(service: str, region: str) -> str:
    """Give the URL at which a service answers in a region."""
    others = [name for start, name in _SUFFIXES.items() if region.startswith(start)]
    return f"https://{service}.{region}.{others[0] if others else 'amazonaws.com'}"
