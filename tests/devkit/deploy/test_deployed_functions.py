"""Functions start from what the deployment stored in SCF, on SCF's Python."""

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from kycourier_devkit.deploy.config.function_specs import FUNCTIONS
from kycourier_devkit.emulators.scf_runtime.deployed_function import unpack_function
from kycourier_devkit.emulators.scf_runtime.process import start_on_scf
from kycourier_devkit.emulators.tencent.api import TencentApi
from kycourier_devkit.emulators.tencent.cos import Cos
from kycourier_devkit.emulators.tencent.tc3 import Key
from kycourier_devkit.errors import FunctionStartError
from kycourier_devkit.package.clouds import TENCENT
from support.built_packages import PACKAGED
from support.leaks.canaries import FINGERPRINT_KEY, MARK
from support.tencent_account import EVIDENCE, NAME, PACKAGES, REGION, FakeAccount
from support.tencent_deployment import ZIPS, Deployer

pytestmark = PACKAGED
ROLE_KEY = Key("AKIDrole1", f"{MARK}role-key", f"{MARK}role-token")


@pytest.fixture
def deployed(
    deployer: Deployer, account: FakeAccount, packages_of, redis_url: str
) -> FakeAccount:
    """Deploy the built zips."""
    for name in ZIPS:
        built = packages_of(TENCENT) / name
        (deployer.dist / name).write_bytes(built.read_bytes())
    deployer.config["packages"] = PACKAGES
    deployer.config["settings"]["KYCOURIER_STATE"] = redis_url
    assert deployer.run().code == 0
    return account


@pytest.fixture
def role(deployed: FakeAccount, moto: str) -> Iterator[dict[str, str]]:
    """Return the role's keys, which SCF adds to a function's variables."""
    with ExitStack() as stack:
        cos = stack.enter_context(closing(Cos(moto, [ROLE_KEY])))
        cos.make_bucket(EVIDENCE)
        services = [deployed.scf, deployed.ssm, deployed.eb]
        api = stack.enter_context(closing(TencentApi([ROLE_KEY], services)))
        yield {
            "TENCENTCLOUD_SECRETID": ROLE_KEY.secret_id,
            "TENCENTCLOUD_SECRETKEY": ROLE_KEY.secret_key,
            "TENCENTCLOUD_SESSIONTOKEN": ROLE_KEY.token or "",
            "TENCENTCLOUD_ENDPOINT_URL": api.url,
            "TENCENTCLOUD_ENDPOINT_URL_COS": cos.url,
        }


def start(account: FakeAccount, name: str, folder, role: dict[str, str]) -> None:
    """Start a function from what SCF stores of it."""
    function = f"{NAME}-{name.replace('_', '-')}"
    stored = unpack_function(account.scf, function, folder)
    assert stored.module == name
    with start_on_scf(name, stored.deployment, {**stored.variables, **role}):
        pass  # entering waits until it has loaded


def test_each_deployed_function_starts(deployed, role, tmp_path):
    for short, value in {
        "app-secret": f"{MARK}secret",
        "fingerprint-key": FINGERPRINT_KEY,
    }.items():
        version = {"VersionId": "SSM_Current", "SecretString": value}
        name = {"SecretName": f"{NAME}-{short}"}
        deployed.ssm.call("UpdateSecret", {**name, **version}, REGION)

    for name in FUNCTIONS:
        start(deployed, name, tmp_path, role)


def test_empty_secret_stops_the_start_and_names_its_setting(deployed, role, tmp_path):
    with pytest.raises(
        FunctionStartError, match=r"KYCOURIER_APP_SECRET.*empty"
    ) as caught:
        start(deployed, "refresh_ticket", tmp_path, role)

    assert caught.value.is_setting


def test_api_starts_with_the_generated_key(deployed, role, tmp_path):
    start(deployed, "orders_api", tmp_path, role)
