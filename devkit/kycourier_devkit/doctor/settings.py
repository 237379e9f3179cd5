"""The doctor's look at the settings, each for itself."""

from collections.abc import Iterator, Mapping

from kycourier.core.errors import SettingError
from kycourier.settings import PREFIX, SETTINGS, Setting, read_settings
from kycourier_devkit.doctor.examined import OK, PROBLEM, Row
from kycourier_devkit.local import SECRET_VARIABLE
from kycourier_devkit.orders.parts import COLLECT_NEEDS
from kycourier_devkit.session import Session


def examine_settings(session: Session) -> Iterator[Row]:
    """Tell of each variable whether it is right, and where it comes from."""
    values = session.settings_environ()
    needs = set(COLLECT_NEEDS)
    if values.get("KYCOURIER_TICKET", "owned") != "owned":
        needs.discard("app_secret")
    if values.get("KYCOURIER_API_AUTH", "signature") == "signature":
        needs.add("api_keys")
    for setting in SETTINGS:
        yield _examine(setting, values, needed=setting.name in needs, session=session)
    known = {setting.variable for setting in SETTINGS} | {SECRET_VARIABLE}
    for name in sorted(session.environ):
        if name.startswith(PREFIX) and name not in known:
            yield Row(PROBLEM, name, "is no setting: misspelt?")


def _examine(
    setting: Setting, values: Mapping[str, str], *, needed: bool, session: Session
) -> Row:
    name = setting.variable
    if name not in values:
        if setting.default is not None:
            return Row(OK, name, f"default {setting.default}")
        return Row(PROBLEM if needed else OK, name, "is not set")
    try:
        read_settings({name: values[name]}, needs=frozenset())
    except SettingError as error:
        return Row(PROBLEM, name, say_reason(error))
    if session.environ.get(name):
        return Row(OK, name, "set")
    return Row(OK, name, "empty" if session.is_deployed else "local value")


def say_reason(error: SettingError) -> str:
    """Give the reason alone: its variable stands beside it."""
    return error.reason.removeprefix(f"{error.variable}: ")
