"""Where AWS's services answer when the environment names another place than AWS's."""

from collections.abc import Mapping

from kycourier.adapters import endpoints

_GENERAL = "AWS_ENDPOINT_URL"
_SPELLED = {"events": "eventbridge", "secretsmanager": "secrets_manager"}


def find_endpoint(environ: Mapping[str, str], service: str) -> str | None:
    """Give a service's own endpoint, or the general one. Raises SettingError."""
    own = f"{_GENERAL}_{_SPELLED.get(service, service).upper()}"
    return endpoints.find_endpoint(environ, own, _GENERAL)
