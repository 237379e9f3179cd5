"""The command line, against emulators of the whole account on loopback."""

import io
from collections.abc import Iterator
from contextlib import closing

import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from kycourier_devkit.cli.app import run
from kycourier_devkit.deploy import zips
from kycourier_devkit.emulators.tencent.api import TencentApi
from kycourier_devkit.emulators.tencent.cos import Cos
from kycourier_devkit.emulators.tencent.tc3 import Key
from support.leaks.canaries import MARK
from support.tencent_account import EVIDENCE, NAME, PACKAGES
from support.tencent_deployment import CommandResult, Deployer

KEY = Key("AKIDdeployer1", f"{MARK}deployer-key", f"{MARK}token")
KEYS = {
    "TENCENTCLOUD_SECRETID": KEY.secret_id,
    "TENCENTCLOUD_SECRETKEY": KEY.secret_key,
    "TENCENTCLOUD_SESSIONTOKEN": f"{MARK}token",
}
DEPLOY = ["deploy", "tencent", "--config", "tencent.yml"]


@pytest.fixture
def kycourier(deployer: Deployer, monkeypatch, capsys):
    """Run a command in this process, in the deployer's folder."""
    monkeypatch.chdir(deployer.folder)
    deployer.write_config()

    def call(*arguments: str, **environ: str) -> CommandResult:
        capsys.readouterr()
        code = run(arguments, environ)
        result = CommandResult(code, *capsys.readouterr())
        assert MARK not in result.out + result.err
        return result

    return call


@pytest.fixture
def environ(moto, account) -> Iterator[dict[str, str]]:
    """Serve the account's API and buckets; return the deployer's environment."""
    with closing(Cos(moto, [KEY])) as cos:
        for name in (EVIDENCE, PACKAGES):
            cos.make_bucket(name)
        account.scf.prerequisites.fetch = lambda bucket, key: fetch(moto, bucket, key)
        account.scf.polls = account.scf.layers.polls = 0
        with closing(TencentApi([KEY], [account.scf, account.ssm, account.eb])) as api:
            yield {
                **KEYS,
                "TENCENTCLOUD_ENDPOINT_URL": api.url,
                "TENCENTCLOUD_ENDPOINT_URL_COS": cos.url,
            }


def fetch(moto: str, bucket: str, key: str) -> bytes | None:
    """Read an object as SCF does: in the account's bucket of that name."""
    store = S3Store(
        f"{bucket}-1250000000",
        config={
            "region": "us-east-1",
            "endpoint": moto,
            "access_key_id": "any",
            "secret_access_key": "any",
        },
        client_options={"allow_http": True},
    )
    try:
        return bytes(obstore.get(store, key).bytes())
    except BaseError:
        return None


@pytest.mark.enable_socket
@pytest.mark.slow
class TestOnTheWire:
    def test_deployment_is_created_and_second_run_changes_nothing(
        self, kycourier, deployer, account, environ, monkeypatch
    ):
        monkeypatch.setattr(zips, "MAX_INLINE_BYTES", 300)
        deployer.config["packages"] = PACKAGES
        deployer.build(zips.SDK_ZIP, tencentcloud="1" * 400)
        deployer.write_config()

        result = kycourier(*DEPLOY, "--yes", **environ)

        assert (result.code, result.err) == (0, "")
        (layer,) = account.scf.layers.versions[f"{NAME}-sdk"]
        assert layer.content == (deployer.dist / zips.SDK_ZIP).read_bytes()
        before = account.snapshot()
        again = kycourier(*DEPLOY, "--yes", **environ)
        assert again.code == 0
        assert "Nothing differs." in again.out
        assert account.snapshot() == before

    def test_secret_is_read_from_standard_input(
        self, kycourier, account, environ, monkeypatch
    ):
        kycourier(*DEPLOY, "--yes", **environ)
        value = f"{MARK}the-value"
        command = ["deploy", "secret", "KYCOURIER_APP_SECRET"]
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{value}\n"))

        result = kycourier(*command, **environ)

        assert result.code == 0
        assert account.secret("app-secret") == value
        monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
        assert kycourier(*command, **environ).code == 2
        assert account.secret("app-secret") == value

    def test_missing_bucket_stops_the_run(self, kycourier, deployer, environ):
        evidence = "cos://absent-1250000000?region=ap-guangzhou"
        deployer.config["settings"]["KYCOURIER_EVIDENCE"] = evidence
        deployer.write_config()

        result = kycourier(*DEPLOY, "--yes", **environ)

        assert result.code == 2
        (line,) = result.planned("cannot")
        assert line.startswith("cannot bucket absent-1250000000 no such bucket")

    def test_wrong_keys_are_reported_in_one_line(self, kycourier, account, environ):
        wrong = {**environ, "TENCENTCLOUD_SECRETKEY": f"{MARK}another-key"}

        result = kycourier(*DEPLOY, "--yes", **wrong)

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
        (["--stack", "prod", *DEPLOY], KEYS, "leave out --stack"),
    ],
)
def test_usage_problem_is_reported_in_one_line_with_exit_code_2(
    kycourier, arguments, environ, message
):
    result = kycourier(*arguments, **environ)

    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("command", ["tencent", "secret"])
def test_help_of_deploy_fits_80_columns_and_has_an_example(kycourier, command):
    result = kycourier("deploy", command, "--help")

    assert result.code == 0
    assert f"\n    kycourier deploy {command}" in result.out.partition("Example")[2]
    assert max(map(len, result.out.splitlines())) <= 80
