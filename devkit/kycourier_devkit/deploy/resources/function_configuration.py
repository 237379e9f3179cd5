"""Builds a function's configuration and finds where an existing one differs."""

from collections.abc import Iterator

from kycourier_devkit.deploy.config.function_specs import FunctionSpec
from kycourier_devkit.deploy.context import DeploymentContext
from kycourier_devkit.deploy.resources.layers import layer_zips
from kycourier_devkit.deploy.tencent.api import Members
from kycourier_devkit.deploy.zips import FUNCTIONS_ZIP


def build_configuration(context: DeploymentContext, spec: FunctionSpec) -> Members:
    """Returns the members that CreateFunction and UpdateFunctionConfiguration share."""
    config = context.config
    variables = context.environments.variables[spec.name]
    digest = context.zips[FUNCTIONS_ZIP].digest
    members: Members = {
        "FunctionName": context.function_name(spec.name),
        "Description": f"{spec.description}. sha256 {digest}",
        "MemorySize": spec.memory,
        "Timeout": spec.timeout,
        "Role": spec.role,
        "Environment": {
            "Variables": [{"Key": key, "Value": variables[key]} for key in variables]
        },
        "Layers": [
            {"LayerName": name, "LayerVersion": context.layers.get(name)}
            for name in layer_zips(context, variables)
        ],
        "PublicNetConfig": {
            "PublicNetStatus": "ENABLE",  # to reach the KYC platform
            "EipConfig": {"EipStatus": "DISABLE"},
        },
    }
    if config.vpc is not None:
        vpc = {"VpcId": config.vpc.id, "SubnetId": config.vpc.subnet}
        members["VpcConfig"] = vpc
    if config.logs is not None:
        members["ClsLogsetId"] = config.logs.logset
        members["ClsTopicId"] = config.logs.topic
    return members


def has_same_digest(context: DeploymentContext, existing: Members) -> bool:
    """Returns whether a function's code is the built zip."""
    digest = str(existing.get("Description") or "").rpartition(" ")[2]
    return digest == context.zips[FUNCTIONS_ZIP].digest


def differing_parts(
    context: DeploymentContext, spec: FunctionSpec, existing: Members
) -> list[str]:
    """Returns the names of the parts of the configuration that differ."""
    desired = build_configuration(context, spec)
    parts = dict(_compare(desired, existing))
    changed = [part for part, is_same in parts.items() if not is_same]
    variables = _differing_variables(desired, existing)
    if variables:
        changed.append(f"environment: {', '.join(variables)}")
    return changed


def _compare(desired: Members, existing: Members) -> Iterator[tuple[str, bool]]:
    """Yields each part's name and whether it is equal."""
    layers = [
        (each.get("LayerName"), each.get("LayerVersion"))
        for each in existing.get("Layers") or []
    ]
    desired_layers = [
        (each["LayerName"], each["LayerVersion"]) for each in desired["Layers"]
    ]
    network = existing.get("VpcConfig") or {}
    public = (existing.get("PublicNetConfig") or {}).get("PublicNetStatus")
    text = str(existing.get("Description") or "").rpartition(" sha256 ")[0]
    yield (
        "layers",
        len(layers) == len(desired_layers) and set(layers) == set(desired_layers),
    )
    yield "memory", existing.get("MemorySize") == desired["MemorySize"]
    yield "timeout", existing.get("Timeout") == desired["Timeout"]
    yield "role", str(existing.get("Role")).rpartition("/")[2] == desired["Role"]
    yield "public network", public in {"ENABLE", None}  # null: not in the response
    yield "description", desired["Description"].startswith(f"{text} sha256 ")
    if "VpcConfig" in desired:
        yield "vpc", desired["VpcConfig"].items() <= network.items()
    if "ClsTopicId" in desired:
        topic = ("ClsLogsetId", "ClsTopicId")
        yield "log topic", all(existing.get(key) == desired[key] for key in topic)


def _differing_variables(desired: Members, existing: Members) -> list[str]:
    """Returns the names of differing variables, with a minus for those to remove."""
    current, wanted = (_pairs(each.get("Environment")) for each in (existing, desired))
    changed = [key for key in wanted if current.get(key) != wanted[key]]
    return changed + [f"-{key}" for key in current if key not in wanted]


def _pairs(environment: Members | None) -> dict[str, str]:
    variables = (environment or {}).get("Variables") or []
    return {each["Key"]: each["Value"] for each in variables}
