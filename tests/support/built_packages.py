"""Builds the zips once for a run of the suite, and runs scripts on what they hold."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from kycourier_devkit import repository
from kycourier_devkit.emulators.lambda_runtime.deployment import (
    LambdaDeployment,
    build_environ,
)
from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.package.build import BuildOptions, build
from kycourier_devkit.package.clouds import AWS, CLOUDS, Cloud
from kycourier_devkit.tool_envs import find_python

# The first build downloads and compiles, and every worker may have to wait for it.
PACKAGED = [pytest.mark.enable_socket, pytest.mark.slow, pytest.mark.timeout(300)]
SETS = [
    pytest.param(cloud, architecture, id=f"{cloud.name}-{architecture}")
    for cloud in CLOUDS.values()
    for architecture in cloud.architectures
]
EACH_SET = pytest.mark.parametrize(("cloud", "architecture"), SETS)
EACH_CLOUD = pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)


def build_once(dist: Path, cloud: Cloud) -> Path:
    """Run the build command once for all workers; its output is beside the folder."""
    with dist.with_name(f"{dist.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        output = build_output(dist)
        if not output.exists():
            find_compiler(cloud)
            command = [sys.executable, "-m", "kycourier_devkit.package", cloud.name]
            done = subprocess.run(
                [*command, "--into", dist], check=False, capture_output=True, text=True
            )
            if done.stderr.startswith("package: "):
                pytest.skip(done.stderr.strip())
            done.check_returncode()
            output.write_text(done.stdout)
    return dist


def build_output(dist: Path) -> Path:
    """Return the file that holds the output of the build command."""
    return dist.with_name(f"{dist.name}.txt")


def find_compiler(cloud: Cloud) -> str:
    """Return the cloud's Python, or skip the test."""
    try:
        return find_python(cloud.python)
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))


def build_into(dist: Path, cloud: Cloud = AWS, **options) -> None:
    """Build the checkout's zips in this process, or skip the test."""
    options = {"root": repository.ROOT, "python": find_compiler(cloud)} | options
    try:
        build(BuildOptions(cloud=cloud, **options), dist, report=lambda _: None)
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))


def run_in(
    deployment: LambdaDeployment, script: str, *arguments: str, **environ
) -> str:
    """Run a script as a function's Python would, and return its output."""
    done = subprocess.run(
        [deployment.python, "-c", script, *arguments],
        cwd=deployment.task,
        env=build_environ(deployment, "script", {}, api="") | environ,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
