"""Reads the deployer's key pair and endpoint overrides from the environment."""

from collections.abc import Mapping

from msgspec import Struct

from kycourier.core.redaction import repr_only
from kycourier.settings.parsers import InvalidSettingError, kyc_url
from kycourier_devkit.errors import UsageError

_NAMES = {  # the functions' own name first, then those of the vendor's tools
    "secret_id": ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRET_ID"),
    "secret_key": ("TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SECRET_KEY"),
    "token": ("TENCENTCLOUD_SESSIONTOKEN", "TENCENTCLOUD_TOKEN"),
}
_ENDPOINT = "TENCENTCLOUD_ENDPOINT_URL"


@repr_only()
class DeployerCredentials(Struct, frozen=True, kw_only=True):
    """A key pair, with a token if it is temporary, and endpoint URLs by service."""

    secret_id: str
    secret_key: str
    token: str | None
    endpoints: dict[str, str]

    def endpoint(self, service: str) -> str | None:
        """Returns the URL that replaces a service's own host."""
        return self.endpoints.get(service) or self.endpoints.get("")

    def environ(self) -> dict[str, str]:
        """Returns the variables that the functions' adapters read."""
        variables = {
            "TENCENTCLOUD_SECRETID": self.secret_id,
            "TENCENTCLOUD_SECRETKEY": self.secret_key,
        }
        if self.token:
            variables["TENCENTCLOUD_SESSIONTOKEN"] = self.token
        for service, url in self.endpoints.items():
            variables[_endpoint_variable(service)] = url
        return variables


def read_credentials(environ: Mapping[str, str]) -> DeployerCredentials:
    """Reads the deployer's keys and endpoints.

    Raises:
        UsageError: A key is not set, or an endpoint is no URL; shows no value.
    """
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
        variables = " and ".join(missing)
        raise UsageError(f"{variables}: not set. Export the deployer's API key")
    return DeployerCredentials(
        secret_id=found["secret_id"] or "",
        secret_key=found["secret_key"] or "",
        token=found["token"],
        endpoints=dict(_read_endpoints(environ)),
    )


def _read_endpoints(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        service: _check_url(variable, environ[variable])
        for service in ("", "scf", "ssm", "eb", "cos")
        if environ.get(variable := _endpoint_variable(service))
    }


def _endpoint_variable(service: str) -> str:
    return f"{_ENDPOINT}_{service.upper()}" if service else _ENDPOINT


def _check_url(variable: str, text: str) -> str:
    try:
        return kyc_url(text)
    except InvalidSettingError as wrong:
        reason = str(wrong)
    raise UsageError(f"{variable}: {reason}")
