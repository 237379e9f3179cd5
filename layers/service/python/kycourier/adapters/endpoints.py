"""Where a cloud's service answers when the environment names another place."""

from collections.abc import Mapping

from kycourier.core.errors import SettingError
from kycourier.setting_forms import WrongForm, kyc_url


def find_endpoint(environ: Mapping[str, str], *variables: str) -> str | None:
    """Give the first of the variables that is set: https, or http on loopback.

    Raises SettingError with the variable's name and the reason, never its value.
    """
    for variable in variables:
        if environ.get(variable):
            return _check(variable, environ[variable])
    return None


def _check(variable: str, text: str) -> str:
    try:
        return kyc_url(text)
    except WrongForm as wrong:
        reason = str(wrong)
    raise SettingError(variable, reason)
