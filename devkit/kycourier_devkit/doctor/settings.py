"""Checks each setting by itself."""

from collections.abc import Iterator, Mapping

from kycourier.core.errors import SettingError
from kycourier.settings.declarations import PREFIX, SETTINGS, Setting
from kycourier.settings.reader import read_settings
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.doctor.check import OK, PROBLEM, CheckResult
from kycourier_devkit.orders.container import COLLECT_SETTINGS
from kycourier_devkit.workspace.local_settings import SECRET_VARIABLE


def check_settings(context: CliContext) -> Iterator[CheckResult]:
    """Checks each variable: its form, whether it is required, and where it is set."""
    values = context.settings_environ()
    required = set(COLLECT_SETTINGS)
    if values.get("KYCOURIER_TICKET", "owned") != "owned":
        required.discard("app_secret")
    if values.get("KYCOURIER_API_AUTH", "signature") == "signature":
        required.add("api_keys")
    for setting in SETTINGS:
        is_required = setting.name in required
        yield _check(setting, values, is_required=is_required, context=context)
    known = {setting.variable for setting in SETTINGS} | {SECRET_VARIABLE}
    for name in sorted(context.environ):
        if name.startswith(PREFIX) and name not in known:
            yield CheckResult(PROBLEM, name, "unknown setting: check its spelling")


def _check(
    setting: Setting,
    values: Mapping[str, str],
    *,
    is_required: bool,
    context: CliContext,
) -> CheckResult:
    name = setting.variable
    if name not in values:
        if setting.default is not None:
            return CheckResult(OK, name, f"default {setting.default}")
        return CheckResult(PROBLEM if is_required else OK, name, "is not set")
    try:
        read_settings({name: values[name]}, needs=frozenset())
    except SettingError as error:
        return CheckResult(PROBLEM, name, error.why)
    if context.environ.get(name):
        return CheckResult(OK, name, "set")
    return CheckResult(OK, name, "empty" if context.is_deployed else "local value")
