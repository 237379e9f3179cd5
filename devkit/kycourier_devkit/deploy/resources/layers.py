"""Publishes a version of each layer when its bytes are new.

A version's description holds the digest of its bytes and is set in the call that
publishes it, so a version is found even if the response was lost.
"""

from collections.abc import Callable, Iterator, Mapping

from kycourier_devkit.deploy.context import RUNTIME, DeploymentContext
from kycourier_devkit.deploy.steps import CREATE, KEEP, Step
from kycourier_devkit.deploy.tencent.api import ApiError, Members
from kycourier_devkit.deploy.tencent.waiters import wait_until
from kycourier_devkit.deploy.zips import SDK_ZIP, SEALING_ZIP, SERVICE_ZIP, CodeZip

_LAYERS = {"service": SERVICE_ZIP, "sdk": SDK_ZIP}
_SEALING = {"sealing": SEALING_ZIP}
_SEALING_VARIABLE = "KYCOURIER_RECIPIENT_KEY"
_ACTIVE, _PUBLISHING = "Active", "Publishing"


def layer_zips(
    context: DeploymentContext, variables: Mapping[str, str]
) -> dict[str, str]:
    """Returns the zips of a function's layers by their names in SCF, in order."""
    shorts = _LAYERS | (_SEALING if _SEALING_VARIABLE in variables else {})
    return {f"{context.config.name}-{short}": file for short, file in shorts.items()}


def plan_layers(context: DeploymentContext) -> Iterator[Step]:
    """Looks for a version with the built bytes; notes its number in the context."""
    needed: dict[str, str] = {}
    for variables in context.environments.variables.values():
        needed |= layer_zips(context, variables)
    for name, file in needed.items():
        built = context.zips[file]
        version = _find_version(context, name, built)
        if version is None:
            reason = f"a version with the new {file}"
            yield Step(CREATE, "layer", name, reason, _publisher(context, name, built))
        else:
            context.layers[name] = version
            yield Step(KEEP, "layer", name, f"version {version}")


def _find_version(context: DeploymentContext, name: str, built: CodeZip) -> int | None:
    """Returns the newest version with these bytes, once it is published."""
    try:
        response = context.api.call("scf", "ListLayerVersions", {"LayerName": name})
    except ApiError as error:
        if not error.is_one_of("ResourceNotFound"):
            raise
        return None
    versions = [
        int(version["LayerVersion"])
        for version in response.get("LayerVersions") or []
        if version.get("Description") == _description(built)
        and version.get("Status") in {_ACTIVE, _PUBLISHING}
    ]
    if not versions:
        return None
    _wait(context, name, max(versions))
    return max(versions)


def _publisher(
    context: DeploymentContext, name: str, built: CodeZip
) -> Callable[[], None]:
    def publish() -> None:
        published = context.api.call(
            "scf",
            "PublishLayerVersion",
            {
                "LayerName": name,
                "CompatibleRuntimes": [RUNTIME],
                "Content": context.delivery.code(built),
                "Description": _description(built),
            },
        )
        version = int(published["LayerVersion"])
        _wait(context, name, version)
        context.layers[name] = version

    return publish


def _wait(context: DeploymentContext, name: str, version: int) -> None:
    def describe() -> Members:
        payload = {"LayerName": name, "LayerVersion": version}
        return context.api.call("scf", "GetLayerVersion", payload)

    wait_until(
        context.clock,
        f"layer {name}",
        describe,
        pending={_PUBLISHING},
        done={_ACTIVE},
    )


def _description(built: CodeZip) -> str:
    return f"sha256 {built.digest}"
