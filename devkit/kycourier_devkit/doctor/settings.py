"""Checks each setting by itself, and shows the values that are no secrets."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from kycourier.core.errors import SettingError
from kycourier.settings.declarations import PREFIX, SETTINGS, Setting
from kycourier.settings.network import PROXIES, find_proxy
from kycourier.settings.reader import read_settings
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.doctor.check import NOTE, OK, PROBLEM, WARNING, CheckResult
from kycourier_devkit.orders.container import COLLECT_SETTINGS
from kycourier_devkit.workspace.local_settings import SECRET_VARIABLE

_CREDENTIALS = re.compile(r"(?<=://)[^/@]*@")
_RECEIVER = re.compile(r"(https?://[^/]*)/.*")  # path and query may hold a token


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
    yield from _check_unknown(context.environ)
    kyc_url = values.get("KYCOURIER_KYC_URL", "")
    if find_proxy(context.environ, kyc_url=kyc_url) is not None:
        return  # it stops the start, which says so
    for name in PROXIES:
        if context.environ.get(name):
            yield CheckResult(WARNING, name, "is ignored: the service uses no proxy")


def _check_unknown(environ: Mapping[str, str]) -> Iterator[CheckResult]:
    known = {setting.variable for setting in SETTINGS}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known | {SECRET_VARIABLE}:
            continue
        if name in _referenced_variables(environ):
            continue
        near = get_close_matches(name, known, n=1)
        hint = f": did you mean {near[0]}?" if near else ""
        yield CheckResult(WARNING, name, f"unknown setting{hint}")


def _referenced_variables(environ: Mapping[str, str]) -> set[str]:
    """Returns the variables that `env:NAME` references name."""
    values = (environ.get(setting.variable, "") for setting in SETTINGS)
    return {
        value.removeprefix("env:").partition("?")[0]
        for value in values
        if value.startswith("env:")
    }


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
            return CheckResult(OK, name, f"{setting.default} (default)")
        return CheckResult(PROBLEM if is_required else NOTE, name, "is not set")
    try:
        read_settings({name: values[name]}, needs=frozenset())
    except SettingError as error:
        return CheckResult(PROBLEM, name, error.why)
    shown = _RECEIVER.sub(r"\1/…", _CREDENTIALS.sub("…@", values[name]))
    if context.environ.get(name):
        return CheckResult(OK, name, shown)
    if context.is_deployed:
        return CheckResult(OK, name, "empty")
    return CheckResult(OK, name, f"{shown} (local)")
