"""Runs the functions from the built zips, as Lambda and SCF unpack them."""

from contextlib import ExitStack

import pytest

from kycourier_devkit.emulators.lambda_runtime.deployment import LambdaDeployment
from kycourier_devkit.emulators.lambda_runtime.deployment import (
    deploy as unpack_for_lambda,
)
from kycourier_devkit.emulators.lambda_runtime.process import LambdaProcess
from kycourier_devkit.emulators.local_runtime.process import FunctionProcess
from kycourier_devkit.emulators.scf_runtime.deployment import ScfDeployment
from kycourier_devkit.emulators.scf_runtime.deployment import deploy as unpack_for_scf
from kycourier_devkit.emulators.scf_runtime.process import start_on_scf
from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.package.clouds import TENCENT
from support.leaks.canaries import API_KEY
from support.processes.service_rig import ServiceRig


class LambdaRig(ServiceRig):
    """Starts functions from the zips, under Lambda's runtime client."""

    def __init__(
        self, service_rig: ServiceRig, deployment: LambdaDeployment, stack: ExitStack
    ) -> None:
        super().__init__(service_rig.folder, service_rig.sandbox, stack)
        self.environ["KYCOURIER_API_AUTH"] = "gateway"
        self._deployment = deployment

    def start(self, name: str, **environ: str) -> LambdaProcess:
        log = self._stack.enter_context(self.log.open("ab"))
        variables = self.environ | environ
        process = LambdaProcess(name, self._deployment, variables, log=log)
        self._stack.callback(process.close)
        return process


class ScfRig(ServiceRig):
    """Starts functions from the zips, in SCF's layout."""

    def __init__(
        self, service_rig: ServiceRig, deployment: ScfDeployment, stack: ExitStack
    ) -> None:
        super().__init__(service_rig.folder, service_rig.sandbox, stack)
        self.environ["KYCOURIER_API_AUTH"] = "signature"
        self.environ |= {"KYCOURIER_API_KEYS": "env:API_KEYS", "API_KEYS": API_KEY}
        self._deployment = deployment

    def start(self, name: str, **environ: str) -> FunctionProcess:
        log = self._stack.enter_context(self.log.open("ab"))
        variables = self.environ | environ
        process = start_on_scf(name, self._deployment, variables, log=log)
        self._stack.callback(process.close)
        self.started.append(process)
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
        yield LambdaRig(service_rig, lambda_deployment, stack)


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
        yield ScfRig(service_rig, scf_deployment, stack)
