"""Unpacks a function that was deployed to the SCF emulator."""

from pathlib import Path

from msgspec import Struct

from kycourier_devkit.deploy.zips import (
    FUNCTIONS_ZIP,
    SDK_ZIP,
    SEALING_ZIP,
    SERVICE_ZIP,
)
from kycourier_devkit.emulators.scf_runtime.deployment import ScfDeployment, deploy
from kycourier_devkit.emulators.tencent.scf import ScfService


class DeployedFunction(Struct, frozen=True):
    """One unpacked function; `variables` are its own part of the environment."""

    module: str
    deployment: ScfDeployment
    variables: dict[str, str]


def unpack_function(
    scf: ScfService, function: str, into: Path, *, namespace: str = "default"
) -> DeployedFunction:
    """Unpacks what the SCF emulator stores of a function into the folder `into`.

    Raises:
        ToolUnavailableError: SCF's Python is not available here.
        LookupError: No such function is deployed.
    """
    stored = scf.functions[namespace, function]
    zips = into / "zips"
    zips.mkdir(parents=True, exist_ok=True)
    (zips / FUNCTIONS_ZIP).write_bytes(stored.content)
    layers = stored.members["Layers"]
    # The sealing layer is last, and not attached to every function.
    for each, file in zip(layers, (SERVICE_ZIP, SDK_ZIP, SEALING_ZIP), strict=False):
        layer = scf.layers.find(each["LayerName"], each["LayerVersion"])
        (zips / file).write_bytes(layer.content)
    variables = stored.members["Environment"]["Variables"]
    return DeployedFunction(
        stored.members["Handler"].removesuffix(".handler"),
        deploy(zips, into, with_sealing=(zips / SEALING_ZIP).exists()),
        {each["Key"]: each["Value"] for each in variables},
    )
