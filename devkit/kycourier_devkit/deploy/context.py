"""What all parts of a deployment share: configuration, API, zips and layer versions."""

from msgspec import Struct

from kycourier.ports import Clock
from kycourier_devkit.deploy.config.environments import Environments
from kycourier_devkit.deploy.config.schema import Config
from kycourier_devkit.deploy.tencent.api import Api, Members
from kycourier_devkit.deploy.zips import CodeDelivery, CodeZip
from kycourier_devkit.package.clouds import TENCENT

RUNTIME = f"Python{TENCENT.python}"


class DeploymentContext(Struct, frozen=True, kw_only=True):
    """One deployment; `layers` maps names to versions and is filled step by step."""

    api: Api
    clock: Clock
    config: Config
    environments: Environments
    zips: dict[str, CodeZip]
    delivery: CodeDelivery
    layers: dict[str, int]

    def scf(self, action: str, **members: object) -> Members:
        """Calls SCF in the deployment's namespace. Raises ApiError."""
        payload = {"Namespace": self.config.namespace, **members}
        return self.api.call("scf", action, payload)

    def function_name(self, name: str) -> str:
        """Returns a function's name in SCF."""
        return f"{self.config.name}-{name.replace('_', '-')}"
