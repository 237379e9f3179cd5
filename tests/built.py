"""The packages, built once for a run of the suite, and what is unpacked from them."""

import fcntl
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from canaries import API_KEY
from houses import House
from kycourier_devkit import toolbox
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.functions.process import FunctionProcess
from kycourier_devkit.lambda_runtime.deployment import Deployment, build_environ
from kycourier_devkit.lambda_runtime.process import LambdaProcess
from kycourier_devkit.package.build import Order, build
from kycourier_devkit.package.clouds import AWS, CLOUDS, Cloud
from kycourier_devkit.scf_runtime.deployment import ScfDeployment
from kycourier_devkit.scf_runtime.process import start_on_scf

# The first build downloads and compiles; whoever waits for it waits as long.
PACKAGED = [pytest.mark.enable_socket, pytest.mark.slow, pytest.mark.timeout(300)]
SETS = [
    pytest.param(cloud, architecture, id=f"{cloud.name}-{architecture}")
    for cloud in CLOUDS.values()
    for architecture in cloud.architectures
]
EACH_SET = pytest.mark.parametrize(("cloud", "architecture"), SETS)
EACH_CLOUD = pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)


def name_zips(cloud: Cloud) -> list[str]:
    """Name all zips that are built for a cloud."""
    sdks = map(cloud.name_sdk_zip, cloud.architectures)
    return [cloud.functions_zip, cloud.service_zip, *sdks]


def build_once(dist: Path, cloud: Cloud) -> Path:
    """Build into a folder that all workers share, whoever comes first.

    What the command printed lies beside it.
    """
    with dist.with_name(f"{dist.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = printed(dist)
        if not said.exists():
            find_compiler(cloud)
            command = [sys.executable, "-m", "kycourier_devkit.package", cloud.name]
            done = subprocess.run(
                [*command, "--into", dist], check=False, capture_output=True, text=True
            )
            if done.stderr.startswith("package: "):
                pytest.skip(done.stderr.strip())
            done.check_returncode()
            said.write_text(done.stdout)
    return dist


def printed(dist: Path) -> Path:
    """Name the file that holds what the command printed."""
    return dist.with_name(f"{dist.name}.txt")


def find_compiler(cloud: Cloud) -> str:
    """Find a cloud's Python, or skip in plain words."""
    try:
        return toolbox.find_python(cloud.python)
    except ToolMissing as missing:
        pytest.skip(str(missing))


def build_into(dist: Path, cloud: Cloud = AWS, **order) -> None:
    """Build the checkout's packages; where that cannot be, skip in plain words."""
    order = {"root": toolbox.ROOT, "python": find_compiler(cloud)} | order
    try:
        build(Order(cloud=cloud, **order), dist, tell=lambda _: None)
    except ToolMissing as missing:
        pytest.skip(str(missing))


def run_in(deployment: Deployment, script: str, *arguments: str, **environ) -> str:
    """Run a script as a function's Python would; give what it printed."""
    done = subprocess.run(
        [deployment.python, "-c", script, *arguments],
        cwd=deployment.task,
        env=build_environ(deployment, "script", {}, api="") | environ,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


class LambdaHouse(House):
    """A house whose functions run from the packages, under Lambda's client."""

    def __init__(self, house: House, deployment: Deployment, stack: ExitStack) -> None:
        super().__init__(house.folder, house.sandbox, stack)
        self.environ["KYCOURIER_API_AUTH"] = "gateway"
        self._deployment = deployment

    def start(self, name: str, **environ: str) -> LambdaProcess:
        log = self._stack.enter_context(self.log.open("ab"))
        given = self.environ | environ
        process = LambdaProcess(name, self._deployment, given, log=log)
        self._stack.callback(process.close)
        return process


class ScfHouse(House):
    """A house whose functions run from the packages, in SCF's layout."""

    def __init__(
        self, house: House, deployment: ScfDeployment, stack: ExitStack
    ) -> None:
        super().__init__(house.folder, house.sandbox, stack)
        self.environ["KYCOURIER_API_AUTH"] = "signature"
        self.environ |= {"KYCOURIER_API_KEYS": "env:API_KEYS", "API_KEYS": API_KEY}
        self._deployment = deployment

    def start(self, name: str, **environ: str) -> FunctionProcess:
        log = self._stack.enter_context(self.log.open("ab"))
        given = self.environ | environ
        process = start_on_scf(name, self._deployment, given, log=log)
        self._stack.callback(process.close)
        self.started.append(process)
        return process
