"""Creates missing secrets in SSM; existing ones are neither read nor changed.

Keys of our own are generated. A secret that somebody else issues (the app's secret, a
Redis's password) is created empty until a person sets its value; the functions
distinguish an empty secret from a wrong one.
"""

from collections.abc import Callable, Iterator

from kycourier.adapters.system import draw_key
from kycourier_devkit.deploy.config.references import SecretReference
from kycourier_devkit.deploy.context import DeploymentContext
from kycourier_devkit.deploy.steps import CANNOT, CREATE, KEEP, Step
from kycourier_devkit.deploy.tencent.api import ApiError, Members

VERSION = "SSM_Current"
EMPTY = "\n"  # SSM accepts no empty text; the functions read this as one
_GENERATED = ("fingerprint_key", "api_keys")
_FOREIGN = "ticket"
_ABSENT = "ResourceNotFound"


def plan_secrets(context: DeploymentContext) -> Iterator[Step]:
    """Looks for each secret that the settings refer to."""
    seen = set()
    for secret in context.environments.references.secrets.values():
        identity = (secret.resource.region, secret.resource.name)
        if identity not in seen:
            seen.add(identity)
            yield _plan(context, secret)


def _plan(context: DeploymentContext, secret: SecretReference) -> Step:
    name = secret.resource.name
    try:
        existing = _call(context, secret, "DescribeSecret")
    except ApiError as error:
        if not error.is_one_of(_ABSENT):
            raise
    else:
        if existing.get("Status") in {"Enabled", None}:
            return Step(KEEP, "secret", name)
        reason = f"is {existing['Status']}: enable it first"
        return Step(CANNOT, "secret", name, reason)
    if secret.use == _FOREIGN:
        reason = "does not exist: the service that owns the ticket creates it"
        return Step(CANNOT, "secret", name, reason)
    if secret.use in _GENERATED:
        reason = "a new key"
    else:
        reason = "empty: set its value afterwards"
    return Step(CREATE, "secret", name, reason, _creator(context, secret))


def _creator(context: DeploymentContext, secret: SecretReference) -> Callable[[], None]:
    def create() -> None:
        value = draw_key().expose() if secret.use in _GENERATED else EMPTY
        _call(
            context,
            secret,
            "CreateSecret",
            VersionId=secret.resource.version or VERSION,
            Description=f"kycourier, {secret.use.replace('_', ' ')}",
            SecretString=value,
        )

    return create


def put_secret(context: DeploymentContext, secret: SecretReference, value: str) -> None:
    """Replaces the value of the version that the functions read. Raises ApiError."""
    version = secret.resource.version or _latest_version(context, secret)
    _call(context, secret, "UpdateSecret", VersionId=version, SecretString=value)


def _latest_version(context: DeploymentContext, secret: SecretReference) -> str:
    """Returns the id of the newest version, which the functions read."""
    versions = _call(context, secret, "ListSecretVersionIds").get("Versions") or []
    created = [(each["CreateTime"], each["VersionId"]) for each in versions]
    return str(max(created)[1]) if created else VERSION


def _call(
    context: DeploymentContext, secret: SecretReference, action: str, **members: str
) -> Members:
    payload = {"SecretName": secret.resource.name, **members}
    return context.api.call("ssm", action, payload, region=secret.resource.region)
