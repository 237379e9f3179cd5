"""What Lambda puts around a function: unpacked zips, folders, and variables."""

import platform
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from kycourier_devkit import toolbox
from kycourier_devkit.errors import ToolMissing, UsageProblem
from kycourier_devkit.package.clouds import AWS

REGION = "eu-west-1"
ACCOUNT = "123456789012"
MEMORY_MEGABYTES = 512
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}


class Deployment(Struct, frozen=True, kw_only=True):
    """Folders that stand in for /var/task and /opt, and the runtime's Python."""

    task: Path
    opt: Path
    python: Path


def find_runtime() -> Path:
    """Find the Python that holds Lambda's runtime client, and boto3 as it brings it.

    Raises ToolMissing.
    """
    interpreter = toolbox.find_python(AWS.python)
    return toolbox.python_tool("lambda_runtime", python=interpreter) / "python"


def name_architecture() -> str:
    """Name this machine's architecture as Lambda does. Raises ToolMissing."""
    system, machine = platform.system(), platform.machine()
    if system != "Linux" or machine not in _ARCHITECTURES:
        raise ToolMissing(f"the packages are not built for {system} on {machine}")
    return _ARCHITECTURES[machine]


def deploy(packages: Path, into: Path) -> Deployment:
    """Unpack functions and layers of the folder `packages` as Lambda does.

    The SDK layer is that of this machine. Raises ToolMissing, or UsageProblem where
    the packages are not built.
    """
    deployment = Deployment(
        task=into / "var/task", opt=into / "opt", python=find_runtime()
    )
    for folder in (deployment.task, deployment.opt):
        shutil.rmtree(folder, ignore_errors=True)
    code, *layers = AWS.name_set(name_architecture())
    unpack(packages / code, deployment.task)
    for layer in layers:
        unpack(packages / layer, deployment.opt)
    return deployment


def unpack(package: Path, into: Path, *, make: str = "make package") -> None:
    """Unpack one zip over what is there. Raises UsageProblem when it is not built."""
    if not package.is_file():
        raise UsageProblem(f"{package.name} is not built: run `{make}`")
    with zipfile.ZipFile(package) as archive:
        archive.extractall(into)


def build_environ(
    deployment: Deployment, name: str, given: Mapping[str, str], *, api: str
) -> dict[str, str]:
    """Build the environment that a function of Lambda sees, `given` its own part.

    Where the function lies and what it is called cannot be given. `api` is the Runtime
    API's address.
    """
    task, layers = deployment.task, deployment.opt / "python"
    packages = layers / f"lib/python{AWS.python}/site-packages"
    platforms = {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MEGABYTES),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "TZ": ":UTC",
    }
    fixed = {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{AWS.python}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_LAMBDA_RUNTIME_API": api,
        "LAMBDA_RUNTIME_DIR": str(deployment.python.parent),
        "LAMBDA_TASK_ROOT": str(task),
        "PYTHONPATH": f"{task}:{packages}:{layers}",
        "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's folders cannot be written to
    }
    return {**platforms, **given, **fixed}
