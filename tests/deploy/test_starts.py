"""What SCF was given starts: its bytes, its variables, its role, on its Python."""

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from built import PACKAGED
from canaries import FINGERPRINT_KEY, MARK
from deploying import EVIDENCE, NAME, PACKAGES, REGION, Cloud, Deployer
from kycourier_devkit.deploy import zips
from kycourier_devkit.deploy.sizes import FUNCTIONS
from kycourier_devkit.errors import FunctionNotStarted
from kycourier_devkit.package.clouds import TENCENT
from kycourier_devkit.scf_runtime.given import unpack_given
from kycourier_devkit.scf_runtime.process import start_on_scf
from kycourier_devkit.stand_ins.tencent.api import TencentApi
from kycourier_devkit.stand_ins.tencent.cos import Cos
from kycourier_devkit.stand_ins.tencent.tc3 import Key

pytestmark = PACKAGED
ROLE_KEY = Key("AKIDrole1", f"{MARK}role-key", f"{MARK}role-token")


@pytest.fixture
def deployed(deployer: Deployer, cloud: Cloud, packages_of, redis_url: str) -> Cloud:
    """Deploy the packages as they are built."""
    for name in (zips.FUNCTIONS_ZIP, zips.SERVICE_ZIP, zips.SDK_ZIP):
        built = packages_of(TENCENT) / name
        (deployer.dist / name).write_bytes(built.read_bytes())
    deployer.wanted["packages"] = PACKAGES
    deployer.wanted["settings"]["KYCOURIER_STATE"] = redis_url
    assert deployer.run().code == 0
    return cloud


@pytest.fixture
def role(deployed: Cloud, moto: str) -> Iterator[dict[str, str]]:
    """Give what SCF adds to a function's variables: the role's keys."""
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


def start(cloud: Cloud, name: str, folder, role: dict[str, str]) -> None:
    """Start a function from what SCF keeps of it alone."""
    function = f"{NAME}-{name.replace('_', '-')}"
    given = unpack_given(cloud.scf, function, folder)
    assert given.module == name
    with start_on_scf(name, given.deployment, {**given.variables, **role}):
        """It has loaded: entering waits for that."""


def test_each_function_starts_with_what_it_was_given(deployed, role, tmp_path):
    for short, value in {
        "app-secret": f"{MARK}secret",
        "fingerprint-key": FINGERPRINT_KEY,
    }.items():
        asked = {"VersionId": "SSM_Current", "SecretString": value}
        name = {"SecretName": f"{NAME}-{short}"}
        deployed.ssm.call("UpdateSecret", {**name, **asked}, REGION)

    for name in FUNCTIONS:
        start(deployed, name, tmp_path, role)


def test_an_empty_secret_stops_the_start_with_its_settings_name(
    deployed, role, tmp_path
):
    with pytest.raises(
        FunctionNotStarted, match=r"KYCOURIER_APP_SECRET.*empty"
    ) as caught:
        start(deployed, "refresh_ticket", tmp_path, role)

    assert caught.value.is_setting


def test_a_key_that_was_drawn_is_good_as_it_is(deployed, role, tmp_path):
    start(deployed, "orders_api", tmp_path, role)
