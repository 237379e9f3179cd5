"""Checks the settings of tencent.yml and builds each function's variables from them."""

import re
from typing import Any

from msgspec import Struct

from kycourier.core.errors import SettingError
from kycourier.settings.declarations import PREFIX, SETTINGS
from kycourier.settings.reader import Settings, read_settings
from kycourier_devkit.deploy.config.references import References, find_references
from kycourier_devkit.deploy.config.schema import Config
from kycourier_devkit.errors import UsageError

MAX_BYTES = 4096  # SCF's limit for a function's environment
_REFRESH_NEEDS = {"app_id", "app_secret", "state"}
_COLLECT_NEEDS = _REFRESH_NEEDS | {"evidence", "events", "fingerprint_key"}
_API_NEEDS = _COLLECT_NEEDS - {"app_secret"}
_ALL = {setting.name for setting in SETTINGS}
_HOST = {"kyc_profile", "kyc_url", "kyc_timeout_seconds", "max_reply_bytes"}
REQUIRED = {
    "refresh_ticket": _REFRESH_NEEDS,
    "collect_results": _COLLECT_NEEDS,
    "sweep_orders": _COLLECT_NEEDS,
    "orders_api": _API_NEEDS,
}
_VISIBLE = {  # the API reads the ticket and issues none, so it gets no app secret
    "refresh_ticket": _REFRESH_NEEDS | _HOST | {"ticket"},
    "collect_results": _ALL - {"api_auth", "api_keys"},
    "sweep_orders": _ALL - {"api_auth", "api_keys"},
    "orders_api": _ALL - {"app_secret"},
}
_FIXED = {
    "queue": "always none, because CKafka delays no message; the sweep does",
    "api_auth": "always signature, because function URLs are public",
    "max_in_flight": "derived from upstream_cap",
}
# Cap: (workers, calls in flight of each), as in template.yaml, so that
# (workers + 1) x in flight + 1 <= upstream_cap
UPSTREAM_CAPS = {10: (2, 3), 20: (2, 6), 50: (6, 7), 100: (8, 10), 200: (18, 10)}
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f]+")


class Environments(Struct, frozen=True, kw_only=True):
    """The variables of each function, parsed, and the resources that they name."""

    variables: dict[str, dict[str, str]]
    settings: Settings
    references: References

    @property
    def is_sealing(self) -> bool:
        """Whether results are sealed, which takes a layer of its own."""
        return self.settings.recipient_key is not None

    @property
    def owns_ticket(self) -> bool:
        """Whether this deployment refreshes the ticket."""
        return self.settings.ticket is None


def build_environments(config: Config) -> Environments:
    """Checks the settings as the functions will, and divides them among the functions.

    Raises:
        UsageError: A function could not start with them; names the setting.
    """
    values = {
        "api_auth": "signature",
        "max_in_flight": str(UPSTREAM_CAPS[config.upstream_cap][1]),
    }
    values |= dict(_read(name, value) for name, value in config.settings.items())
    required = _COLLECT_NEEDS | ({"api_keys"} if config.api == "url" else set())
    try:
        settings = read_settings(_to_variables(values), needs=required)
        references = find_references(settings)
    except SettingError as wrong:
        reason = f"settings: {wrong.variable} {wrong.why}"
    else:
        if settings.ticket is not None:
            values.pop("app_secret", None)
            references.secrets.pop("app_secret", None)
        variables = {
            name: _to_variables(
                {key: values[key] for key in sorted(values.keys() & of)}
            )
            for name, of in _VISIBLE.items()
        }
        _check_sizes(variables)
        return Environments(
            variables=variables, settings=settings, references=references
        )
    raise UsageError(reason)


def _read(variable: str, value: Any) -> tuple[str, str]:  # noqa: ANN401 - YAML's
    """Returns a setting's name and text. Raises UsageError, which shows no value."""
    name = variable.removeprefix(PREFIX).lower()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = str(value) if is_number else value
    if not variable.startswith(PREFIX) or name not in _ALL or not variable.isupper():
        problem = "is not a setting"
    elif name in _FIXED:
        problem = f"cannot be set: it is {_FIXED[name]}"
    elif not isinstance(text, str) or not _ONE_LINE.fullmatch(text):
        problem = "must be one line of text, or a number"
    else:
        return name, text
    raise UsageError(f"settings: {variable} {problem}")


def _to_variables(values: dict[str, str]) -> dict[str, str]:
    return {PREFIX + name.upper(): text for name, text in values.items()}


def _check_sizes(variables: dict[str, dict[str, str]]) -> None:
    for name, pairs in variables.items():
        size = sum(
            len(key.encode()) + len(text.encode()) for key, text in pairs.items()
        )
        if size > MAX_BYTES:
            raise UsageError(
                f"settings: {name} would get {size} bytes, over SCF's {MAX_BYTES}"
            )
