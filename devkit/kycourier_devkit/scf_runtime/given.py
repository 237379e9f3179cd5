"""A function as SCF was given it: its bytes, its layers, its variables, and no more."""

from pathlib import Path

from msgspec import Struct

from kycourier_devkit.deploy.zips import FUNCTIONS_ZIP, SDK_ZIP, SERVICE_ZIP
from kycourier_devkit.scf_runtime.deployment import ScfDeployment, deploy
from kycourier_devkit.stand_ins.tencent.scf import ScfService


class GivenFunction(Struct, frozen=True):
    """One function, unpacked; `variables` are its own part of the environment."""

    module: str
    deployment: ScfDeployment
    variables: dict[str, str]


def unpack_given(
    scf: ScfService, function: str, into: Path, *, namespace: str = "default"
) -> GivenFunction:
    """Unpack what SCF keeps of a function. Raises ToolMissing, LookupError."""
    made = scf.functions[namespace, function]
    zips = into / "zips"
    zips.mkdir(parents=True, exist_ok=True)
    (zips / FUNCTIONS_ZIP).write_bytes(made.content)
    for each, file in zip(made.members["Layers"], (SERVICE_ZIP, SDK_ZIP), strict=True):
        layer = scf.layers.find(each["LayerName"], each["LayerVersion"])
        (zips / file).write_bytes(layer.content)
    variables = made.members["Environment"]["Variables"]
    return GivenFunction(
        made.members["Handler"].removesuffix(".handler"),
        deploy(zips, into),
        {each["Key"]: each["Value"] for each in variables},
    )
