"""Whose calls they are and where they go: the deployer's environment, checked."""

from collections.abc import Mapping

from msgspec import Struct

from kycourier.core.hidden import shows
from kycourier.setting_forms import WrongForm, kyc_url
from kycourier_devkit.errors import UsageProblem

_NAMES = {  # ours is the functions' own name, then those of the vendor's tools
    "secret_id": ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRET_ID"),
    "secret_key": ("TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SECRET_KEY"),
    "token": ("TENCENTCLOUD_SESSIONTOKEN", "TENCENTCLOUD_TOKEN"),
}
_ENDPOINT = "TENCENTCLOUD_ENDPOINT_URL"


@shows()
class Access(Struct, frozen=True, kw_only=True):
    """The key pair, perhaps a temporary one with its token, and other endpoints."""

    secret_id: str
    secret_key: str
    token: str | None
    endpoints: dict[str, str]

    def endpoint(self, service: str) -> str | None:
        """Give the URL that stands in for a service's own host."""
        return self.endpoints.get(service) or self.endpoints.get("")

    def environ(self) -> dict[str, str]:
        """Spell it as a function's environment does, for the functions' adapters."""
        spelled = {"TENCENTCLOUD_SECRETID": self.secret_id}
        spelled["TENCENTCLOUD_SECRETKEY"] = self.secret_key
        if self.token:
            spelled["TENCENTCLOUD_SESSIONTOKEN"] = self.token
        for service, url in self.endpoints.items():
            spelled[_variable(service)] = url
        return spelled


def read_access(environ: Mapping[str, str]) -> Access:
    """Read the deployer's keys and endpoints. Raises UsageProblem, showing no value."""
    found = {
        field: next((environ[name] for name in names if environ.get(name)), None)
        for field, names in _NAMES.items()
    }
    missing = [
        names[0]
        for field, names in _NAMES.items()
        if field != "token" and not found[field]
    ]
    if missing:
        raise UsageProblem(f"{' and '.join(missing)}: not set; whose account is it?")
    return Access(
        secret_id=found["secret_id"] or "",
        secret_key=found["secret_key"] or "",
        token=found["token"],
        endpoints=dict(_read_endpoints(environ)),
    )


def _read_endpoints(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        service: _check(_variable(service), environ[_variable(service)])
        for service in ("", "scf", "ssm", "eb", "cos")
        if environ.get(_variable(service))
    }


def _variable(service: str) -> str:
    return f"{_ENDPOINT}_{service.upper()}" if service else _ENDPOINT


def _check(variable: str, text: str) -> str:
    try:
        return kyc_url(text)
    except WrongForm as wrong:
        reason = str(wrong)
    raise UsageProblem(f"{variable}: {reason}")
