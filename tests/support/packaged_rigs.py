"""Runs the functions from the built zips, as Lambda and SCF unpack them."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from kycourier_devkit.emulators.lambda_runtime.deployment import (
    deploy as unpack_for_lambda,
)
from kycourier_devkit.emulators.lambda_runtime.process import LambdaProcess
from kycourier_devkit.emulators.running_function import RunningFunction
from kycourier_devkit.emulators.scf_runtime.deployment import deploy as unpack_for_scf
from kycourier_devkit.emulators.scf_runtime.process import start_on_scf
from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.package.clouds import TENCENT
from support.leaks.canaries import API_KEY
from support.processes.service_rig import ServiceRig

Run = Callable[..., RunningFunction]


class PackagedRig(ServiceRig):
    """Starts functions from a cloud's zips: `run` starts one of a deployment."""

    def __init__(
        self, service_rig: ServiceRig, stack: ExitStack, run: Run, deployment: object
    ) -> None:
        super().__init__(service_rig.folder, service_rig.sandbox, stack)
        self._run, self._deployment = run, deployment

    def start(self, name: str, **environ: str) -> RunningFunction:
        log = self._stack.enter_context(self.log.open("ab"))
        variables = self.environ | environ
        process = self._run(name, self._deployment, variables, log=log)
        self._stack.callback(process.close)
        return process


@pytest.fixture(scope="session")
def lambda_deployment(packages, tmp_path_factory):
    """Return the zips as Lambda unpacks them."""
    try:
        return unpack_for_lambda(packages, tmp_path_factory.mktemp("lambda"))
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def lambda_rig(service_rig, lambda_deployment):
    """Return a rig whose functions run as on Lambda."""
    with ExitStack() as stack:
        rig = PackagedRig(service_rig, stack, LambdaProcess, lambda_deployment)
        rig.environ["KYCOURIER_API_AUTH"] = "gateway"
        yield rig


@pytest.fixture(scope="session")
def scf_deployment(packages_of, tmp_path_factory):
    """Return the zips as SCF unpacks them."""
    try:
        return unpack_for_scf(packages_of(TENCENT), tmp_path_factory.mktemp("scf"))
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def scf_rig(service_rig, scf_deployment):
    """Return a rig whose functions run as on SCF."""
    with ExitStack() as stack:
        rig = PackagedRig(service_rig, stack, start_on_scf, scf_deployment)
        rig.environ["KYCOURIER_API_AUTH"] = "signature"
        rig.environ |= {"KYCOURIER_API_KEYS": "env:API_KEYS", "API_KEYS": API_KEY}
        yield rig
