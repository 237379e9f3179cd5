"""What SCF puts around a function: unpacked zips, folders, and variables."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from kycourier_devkit import toolbox
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.lambda_runtime.deployment import name_architecture, unpack
from kycourier_devkit.package.clouds import TENCENT

REGION = "ap-guangzhou"
APP_ID, UIN = "1250000000", "100000000001"
MAKE = "make package-tencent"


class ScfDeployment(Struct, frozen=True, kw_only=True):
    """Folders that stand in for /var/user and /opt, and SCF's Python."""

    user: Path
    opt: Path
    python: Path


def deploy(packages: Path, into: Path) -> ScfDeployment:
    """Unpack functions and layers of the folder `packages` as SCF does.

    Raises ToolMissing, or UsageProblem where the packages are not built.
    """
    architecture = name_architecture()
    if architecture not in TENCENT.architectures:
        raise ToolMissing(f"SCF's packages are not built for {architecture}")
    deployment = ScfDeployment(
        user=into / "var/user",
        opt=into / "opt",
        python=Path(toolbox.find_python(TENCENT.python)),
    )
    for folder in (deployment.user, deployment.opt):
        shutil.rmtree(folder, ignore_errors=True)
    code, *layers = TENCENT.name_set(architecture)
    unpack(packages / code, deployment.user, make=MAKE)
    for layer in layers:
        unpack(packages / layer, deployment.opt, make=MAKE)
    return deployment


def build_environ(
    deployment: ScfDeployment, name: str, given: Mapping[str, str]
) -> dict[str, str]:
    """Build the environment that a function of SCF sees, `given` its own part.

    What SCF keeps to itself cannot be given, region and the role's credentials apart.
    """
    platform = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TENCENTCLOUD_REGION": REGION,
    }
    fixed = {
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
    return {**platform, **given, **fixed}
