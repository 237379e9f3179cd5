"""What every part of a deployment works with."""

from msgspec import Struct

from kycourier.ports import Clock
from kycourier_devkit.deploy.api import Api, Members
from kycourier_devkit.deploy.config import Config
from kycourier_devkit.deploy.environments import Environments
from kycourier_devkit.deploy.zips import Delivery, Zip
from kycourier_devkit.package.clouds import TENCENT

PYTHON = f"Python{TENCENT.python}"


class Site(Struct, frozen=True, kw_only=True):
    """One deployment. `layers` are the versions by name, as far as they are known."""

    api: Api
    clock: Clock
    config: Config
    environments: Environments
    zips: dict[str, Zip]
    delivery: Delivery
    layers: dict[str, int]

    def scf(self, action: str, **members: object) -> Members:
        """Call SCF in the deployment's namespace. Raises CallRefused."""
        named = {"Namespace": self.config.namespace, **members}
        return self.api.call("scf", action, named)

    def name_function(self, name: str) -> str:
        """Give a function's name in SCF."""
        return f"{self.config.name}-{name.replace('_', '-')}"
