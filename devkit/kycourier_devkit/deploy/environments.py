"""What each function is given: the variables of tencent.yml, checked as it will be."""

import re
from typing import Any

from msgspec import Struct

from kycourier.core.errors import SettingError
from kycourier.settings import PREFIX, SETTINGS, Settings, read_settings
from kycourier_devkit.deploy.config import Config
from kycourier_devkit.deploy.references import Named, find_named
from kycourier_devkit.errors import UsageProblem

MOST_BYTES = 4096  # of a function's environment
_REFRESHES = {"app_id", "app_secret", "state"}
_COLLECTS = _REFRESHES | {"evidence", "events", "fingerprint_key"}
_ANSWERS = _COLLECTS - {"app_secret"}
_ALL = {setting.name for setting in SETTINGS}
_HOST = {"kyc_profile", "kyc_url", "kyc_timeout_seconds", "max_reply_bytes"}
NEEDS = {
    "refresh_ticket": _REFRESHES,
    "collect_results": _COLLECTS,
    "sweep_orders": _COLLECTS,
    "orders_api": _ANSWERS,
}
_GIVEN = {  # the API reads the ticket and buys none, so it gets no app secret
    "refresh_ticket": _REFRESHES | _HOST | {"ticket"},
    "collect_results": _ALL - {"api_auth", "api_keys"},
    "sweep_orders": _ALL - {"api_auth", "api_keys"},
    "orders_api": _ALL - {"app_secret"},
}
_OURS = {
    "queue": "is none: CKafka delays nothing, and the sweep does what is due",
    "api_auth": "is signature: function URLs are public",
    "max_in_flight": "follows from upstream_cap",
}
# (workers + 1) x in flight + 1 <= upstream_cap, as in template.yaml
CAPS = {10: (2, 3), 20: (2, 6), 50: (6, 7), 100: (8, 10), 200: (18, 10)}
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]+")


class Environments(Struct, frozen=True, kw_only=True):
    """Each function's variables, what they say, and what they name."""

    variables: dict[str, dict[str, str]]
    settings: Settings
    named: Named

    @property
    def owns_ticket(self) -> bool:
        """Tell whether this deployment buys the tickets."""
        return self.settings.ticket is None


def build_environments(config: Config) -> Environments:
    """Check the settings; say which function is given which. Raises UsageProblem."""
    given = {
        "api_auth": "signature",
        "max_in_flight": str(CAPS[config.upstream_cap][1]),
    }
    given |= dict(_read(name, value) for name, value in config.settings.items())
    needs = _COLLECTS | ({"api_keys"} if config.api == "url" else set())
    try:
        settings = read_settings(_spell(given), needs=needs)
        named = find_named(settings)
    except SettingError as wrong:
        reason = f"settings: {wrong.variable} {wrong.why}"
    else:
        if settings.ticket is not None:
            given.pop("app_secret", None)
            named.secrets.pop("app_secret", None)
        variables = {
            name: _spell({key: given[key] for key in sorted(given.keys() & of)})
            for name, of in _GIVEN.items()
        }
        _check_sizes(variables)
        return Environments(variables=variables, settings=settings, named=named)
    raise UsageProblem(reason)


def _read(variable: str, value: Any) -> tuple[str, str]:  # noqa: ANN401 - YAML's
    """Give a setting's name and text. Raises UsageProblem, showing no value."""
    name = variable.removeprefix(PREFIX).lower()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = str(value) if is_number else value
    if not variable.startswith(PREFIX) or name not in _ALL or not variable.isupper():
        problem = "is no setting"
    elif name in _OURS:
        problem = f"cannot be set: it {_OURS[name]}"
    elif not isinstance(text, str) or not _PLAIN.fullmatch(text):
        problem = "must be one line of text, or a number"
    else:
        return name, text
    raise UsageProblem(f"settings: {variable} {problem}")


def _spell(given: dict[str, str]) -> dict[str, str]:
    return {PREFIX + name.upper(): text for name, text in given.items()}


def _check_sizes(variables: dict[str, dict[str, str]]) -> None:
    for name, pairs in variables.items():
        size = sum(
            len(key.encode()) + len(text.encode()) for key, text in pairs.items()
        )
        if size > MOST_BYTES:
            raise UsageProblem(
                f"settings: {name} would get {size} bytes, over SCF's {MOST_BYTES}"
            )
