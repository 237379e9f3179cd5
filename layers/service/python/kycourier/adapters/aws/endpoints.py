"""Where AWS's services answer when the environment names another place than AWS's."""

from collections.abc import Mapping

from kycourier.core.errors import SettingError
from kycourier.setting_forms import WrongForm, kyc_url

_GENERAL = "AWS_ENDPOINT_URL"
_SPELLED = {"events": "eventbridge", "secretsmanager": "secrets_manager"}


def find_endpoint(environ: Mapping[str, str], service: str) -> str | None:
    """Give a service's own endpoint, or the general one: https, or http on loopback.

    Raises SettingError with the variable's name and the reason, never its value.
    """
    own = f"{_GENERAL}_{_SPELLED.get(service, service).upper()}"
    for variable in (own, _GENERAL):
        if environ.get(variable):
            return _check(variable, environ[variable])
    return None


def _check(variable: str, text: str) -> str:
    try:
        return kyc_url(text)
    except WrongForm as wrong:
        reason = str(wrong)
    raise SettingError(variable, reason)
