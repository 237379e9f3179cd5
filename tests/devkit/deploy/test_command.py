"""`kycourier deploy` in this process, against emulators of the account on loopback."""

import io
from collections.abc import Iterator
from contextlib import closing

import pytest

from kycourier_devkit.deploy import zips
from kycourier_devkit.emulators.tencent.api import TencentApi
from kycourier_devkit.emulators.tencent.cos import Cos
from kycourier_devkit.emulators.tencent.tc3 import Key
from support.leaks.canaries import MARK
from support.tencent_account import EVIDENCE, NAME, PACKAGES
from support.tencent_deployment import Deployer

KEY = Key("AKIDdeployer1", f"{MARK}deployer-key", f"{MARK}token")
KEYS = {
    "TENCENTCLOUD_SECRETID": KEY.secret_id,
    "TENCENTCLOUD_SECRETKEY": KEY.secret_key,
    "TENCENTCLOUD_SESSIONTOKEN": f"{MARK}token",
}
DEPLOY = ["deploy", "tencent", "--config", "tencent.yml"]


@pytest.fixture
def deploy(deployer: Deployer, kycourier):
    """Run a deploy command in the deployer's folder with its tencent.yml."""

    def call(*arguments: str, **environ: str):
        deployer.write_config()
        return kycourier(*arguments, **environ)

    return call


@pytest.fixture
def environ(moto, account) -> Iterator[dict[str, str]]:
    """Serve the account's API and buckets; return the deployer's environment."""
    with closing(Cos(moto, [KEY])) as cos:
        for name in (EVIDENCE, PACKAGES):
            cos.make_bucket(name)
        account.scf.prerequisites.fetch = lambda bucket, key: cos.read(
            f"{bucket}-1250000000", key
        )
        account.scf.polls = account.scf.layers.polls = 0
        with closing(TencentApi([KEY], [account.scf, account.ssm, account.eb])) as api:
            yield {
                **KEYS,
                "TENCENTCLOUD_ENDPOINT_URL": api.url,
                "TENCENTCLOUD_ENDPOINT_URL_COS": cos.url,
            }


@pytest.mark.enable_socket
@pytest.mark.slow
class TestOnTheWire:
    def test_large_layer_is_deployed_from_the_packages_bucket(
        self, deploy, deployer, account, environ, monkeypatch
    ):
        monkeypatch.setattr(zips, "MAX_INLINE_BYTES", 300)
        deployer.config["packages"] = PACKAGES
        deployer.build(zips.SDK_ZIP, tencentcloud="1" * 400)

        result = deploy(*DEPLOY, "--yes", **environ)

        assert (result.code, result.err) == (0, "")
        (layer,) = account.scf.layers.versions[f"{NAME}-sdk"]
        assert layer.content == (deployer.dist / zips.SDK_ZIP).read_bytes()
        assert "Nothing differs." in deploy(*DEPLOY, "--yes", **environ).out

    def test_secret_is_read_from_standard_input(
        self, deploy, account, environ, monkeypatch
    ):
        deploy(*DEPLOY, "--yes", **environ)
        value = f"{MARK}the-value"
        command = ["deploy", "secret", "KYCOURIER_APP_SECRET"]
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{value}\n"))

        result = deploy(*command, **environ)

        assert result.code == 0
        assert account.secret("app-secret") == value
        monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
        assert deploy(*command, **environ).code == 2
        assert account.secret("app-secret") == value

    def test_missing_bucket_stops_the_run(self, deploy, deployer, environ):
        deployer.set("EVIDENCE", "cos://absent-1250000000?region=ap-guangzhou")

        result = deploy(*DEPLOY, "--yes", **environ)

        assert result.code == 2
        assert "no such bucket" in result.out

    def test_wrong_keys_are_reported_in_one_line(self, deploy, account, environ):
        wrong = {**environ, "TENCENTCLOUD_SECRETKEY": f"{MARK}another-key"}

        result = deploy(*DEPLOY, "--yes", **wrong)

        assert result.code == 1
        assert "the keys in the environment are refused" in result.err
        assert result.err.count("\n") == 1
        assert account.scf.functions == {}


@pytest.mark.parametrize(
    ("arguments", "environ", "message"),
    [
        (DEPLOY, {}, "TENCENTCLOUD_SECRETID and TENCENTCLOUD_SECRETKEY: not set"),
        ([*DEPLOY, "--dist", "nowhere"], KEYS, "make package-tencent"),
        (["deploy", "tencent", "--config", "no.yml"], KEYS, "no.yml cannot be read"),
        (["deploy", "secret", "KYCOURIER_EVENTS"], KEYS, "refers to no secret"),
    ],
)
def test_usage_problem_is_reported_in_one_line_with_exit_code_2(
    deploy, arguments, environ, message
):
    result = deploy(*arguments, **environ)

    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1
