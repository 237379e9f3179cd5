"""Unpacks the zips as Lambda does, and builds the environment Lambda sets."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from kycourier_devkit import tool_envs
from kycourier_devkit.emulators.packages import find_architecture, unpack
from kycourier_devkit.package.clouds import AWS

REGION = "eu-west-1"
ACCOUNT = "123456789012"
MEMORY_MEGABYTES = 512


class LambdaDeployment(Struct, frozen=True, kw_only=True):
    """The folders used as /var/task and /opt, and the runtime's Python."""

    task: Path
    opt: Path
    python: Path


def find_runtime() -> Path:
    """Returns the Python that has the Lambda runtime client and Lambda's boto3.

    Raises ToolUnavailableError.
    """
    interpreter = tool_envs.find_python(AWS.python)
    return tool_envs.python_tool("lambda_runtime", python=interpreter) / "python"


def deploy(
    packages: Path, into: Path, *, with_sealing: bool = False
) -> LambdaDeployment:
    """Unpacks functions and layers for this machine's architecture.

    Args:
        packages: The folder of the built zips.
        into: A folder for the unpacked files; what a former deployment left is removed.
        with_sealing: Whether the layer for sealed results is attached.

    Raises:
        ToolUnavailableError: The runtime cannot be installed here.
        UsageError: The packages are not built.
    """
    deployment = LambdaDeployment(
        task=into / "var/task", opt=into / "opt", python=find_runtime()
    )
    for folder in (deployment.task, deployment.opt):
        shutil.rmtree(folder, ignore_errors=True)
    architecture = find_architecture()
    code, *layers = AWS.zip_names(architecture)
    if with_sealing:
        layers.append(AWS.sealing_zip_name(architecture))
    unpack(packages / code, deployment.task)
    for layer in layers:
        unpack(packages / layer, deployment.opt)
    return deployment


def build_environ(
    deployment: LambdaDeployment, name: str, variables: Mapping[str, str], *, api: str
) -> dict[str, str]:
    """Builds the whole environment of a function.

    Args:
        deployment: Where the function is unpacked.
        name: The function's name; like its folder it cannot be overridden.
        variables: The function's own variables.
        api: Address of the Runtime API.
    """
    task, layers = deployment.task, deployment.opt / "python"
    packages = layers / f"lib/python{AWS.python}/site-packages"
    defaults = {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MEGABYTES),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "TZ": ":UTC",
    }
    reserved = {
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
        "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's folders are read-only
    }
    return {**defaults, **variables, **reserved}
