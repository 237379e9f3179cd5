"""The secrets in SSM: made where they are missing, never read and never changed.

A key of our own is drawn; what somebody else gives out (the app's secret, a Redis's
password) is made empty, which the functions tell from a wrong one, until a person puts
the value in.
"""

from collections.abc import Callable, Iterator

from kycourier.adapters.system import draw_key
from kycourier_devkit.deploy.api import CallRefused, Members
from kycourier_devkit.deploy.references import Reference
from kycourier_devkit.deploy.site import Site
from kycourier_devkit.deploy.steps import CANNOT, CREATE, KEEP, Step

VERSION = "SSM_Current"
EMPTY = "\n"  # SSM takes no empty text; the functions read this as one
_DRAWN = ("fingerprint_key", "api_keys")
_FOREIGN = "ticket"
_ABSENT = "ResourceNotFound"


def plan_secrets(site: Site) -> Iterator[Step]:
    """Look which secrets are there."""
    seen = set()
    for reference in site.environments.named.secrets.values():
        if (reference.at.region, reference.at.name) not in seen:
            seen.add((reference.at.region, reference.at.name))
            yield _plan(site, reference)


def _plan(site: Site, secret: Reference) -> Step:
    name = secret.at.name
    try:
        there = _call(site, secret, "DescribeSecret")
    except CallRefused as refused:
        if not refused.is_one_of(_ABSENT):
            raise
    else:
        if there.get("Status") in {"Enabled", None}:
            return Step(KEEP, "secret", name)
        return Step(CANNOT, "secret", name, f"is {there['Status']}: enable it first")
    if secret.use == _FOREIGN:
        why = "is not there, and it is for another service to make"
        return Step(CANNOT, "secret", name, why)
    if secret.use in _DRAWN:
        return Step(CREATE, "secret", name, "a new key", _maker(site, secret))
    why = "empty: put its value in afterwards"
    return Step(CREATE, "secret", name, why, _maker(site, secret))


def _maker(site: Site, secret: Reference) -> Callable[[], None]:
    def make() -> None:
        value = draw_key().reveal() if secret.use in _DRAWN else EMPTY
        _call(
            site,
            secret,
            "CreateSecret",
            VersionId=secret.at.version or VERSION,
            Description=f"kycourier, {secret.use.replace('_', ' ')}",
            SecretString=value,
        )

    return make


def put_secret(site: Site, secret: Reference, value: str) -> None:
    """Put a value in, in place of the one that is read. Raises CallRefused."""
    version = secret.at.version or _latest(site, secret)
    _call(site, secret, "UpdateSecret", VersionId=version, SecretString=value)


def _latest(site: Site, secret: Reference) -> str:
    """Name the version made last, as the functions do."""
    versions = _call(site, secret, "ListSecretVersionIds").get("Versions") or []
    made = [(each["CreateTime"], each["VersionId"]) for each in versions]
    return str(max(made)[1]) if made else VERSION


def _call(site: Site, secret: Reference, action: str, **members: str) -> Members:
    named = {"SecretName": secret.at.name, **members}
    return site.api.call("ssm", action, named, region=secret.at.region)
