"""Unpacks the zips as SCF does, and builds the environment SCF sets."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from kycourier_devkit import tool_envs
from kycourier_devkit.emulators.packages import find_architecture, unpack
from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.package.clouds import TENCENT

REGION = "ap-guangzhou"
APP_ID, UIN = "1250000000", "100000000001"
MAKE = "make package-tencent"


class ScfDeployment(Struct, frozen=True, kw_only=True):
    """The folders used as /var/user and /opt, and SCF's Python."""

    user: Path
    opt: Path
    python: Path


def deploy(packages: Path, into: Path, *, with_sealing: bool = False) -> ScfDeployment:
    """Unpacks functions and layers.

    Args:
        packages: The folder of the built zips.
        into: A folder for the unpacked files; what a former deployment left is removed.
        with_sealing: Whether the layer for sealed results is attached.

    Raises:
        ToolUnavailableError: SCF's Python or architecture is not available here.
        UsageError: The packages are not built.
    """
    architecture = find_architecture()
    if architecture not in TENCENT.architectures:
        raise ToolUnavailableError(f"SCF's packages are not built for {architecture}")
    deployment = ScfDeployment(
        user=into / "var/user",
        opt=into / "opt",
        python=Path(tool_envs.find_python(TENCENT.python)),
    )
    for folder in (deployment.user, deployment.opt):
        shutil.rmtree(folder, ignore_errors=True)
    code, *layers = TENCENT.zip_names(architecture)
    if with_sealing:
        layers.append(TENCENT.sealing_zip_name(architecture))
    unpack(packages / code, deployment.user, make=MAKE)
    for layer in layers:
        unpack(packages / layer, deployment.opt, make=MAKE)
    return deployment


def build_environ(
    deployment: ScfDeployment, name: str, variables: Mapping[str, str]
) -> dict[str, str]:
    """Builds the whole environment of a function.

    `variables` are the function's own. They override none of SCF's, except the region
    and the role's credentials.
    """
    defaults = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TENCENTCLOUD_REGION": REGION,
    }
    reserved = {
        "PYTHONDONTWRITEBYTECODE": "x",
        "PYTHONPATH": f"{deployment.user}:{deployment.opt}",
        "SCF_FUNCTIONNAME": name,
        "SCF_FUNCTIONVERSION": "$LATEST",
        "SCF_NAMESPACE": "default",
        "SCF_RUNTIME": f"Python{TENCENT.python}",
        "TENCENTCLOUD_APPID": APP_ID,
        "TENCENTCLOUD_RUNENV": "SCF",
        "TENCENTCLOUD_UIN": UIN,
        "USER_CODE_ROOT": f"{deployment.user}/",
        "_SCF_SERVER_PORT": "28902",
    }
    return {**defaults, **variables, **reserved}
