"""Reads endpoint URLs that the environment sets in place of a cloud's own."""

from collections.abc import Mapping

from kycourier.core.errors import SettingError
from kycourier.settings.parsers import InvalidSettingError, kyc_url


def find_endpoint(environ: Mapping[str, str], *variables: str) -> str | None:
    """Returns the value of the first variable that is set; None if none is.

    Raises:
        SettingError: the URL is neither https nor http on loopback. The error carries
            the variable's name and the reason, never its value.
    """
    for variable in variables:
        if environ.get(variable):
            return _check(variable, environ[variable])
    return None


def _check(variable: str, text: str) -> str:
    try:
        return kyc_url(text)
    except InvalidSettingError as invalid:
        reason = str(invalid)
    raise SettingError(variable, reason)
