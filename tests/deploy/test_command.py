"""The command as a person calls it, against the whole account on loopback."""

import io
from collections.abc import Iterator
from contextlib import closing

import obstore
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from canaries import MARK
from deploying import EVIDENCE, NAME, PACKAGES, Deployer, Ran
from kycourier_devkit.command_line import run
from kycourier_devkit.deploy import zips
from kycourier_devkit.stand_ins.tencent.api import TencentApi
from kycourier_devkit.stand_ins.tencent.cos import Cos
from kycourier_devkit.stand_ins.tencent.tc3 import Key

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
    deployer.write()

    def call(*arguments: str, **environ: str) -> Ran:
        capsys.readouterr()
        code = run(arguments, environ)
        ran = Ran(code, *capsys.readouterr())
        assert MARK not in ran.out + ran.err
        return ran

    return call


@pytest.fixture
def environ(moto, cloud) -> Iterator[dict[str, str]]:
    """Serve the account's API and buckets; give the deployer's environment."""
    with closing(Cos(moto, [KEY])) as cos:
        for name in (EVIDENCE, PACKAGES):
            cos.make_bucket(name)
        cloud.scf.account.fetch = lambda bucket, key: fetch(moto, bucket, key)
        cloud.scf.polls = cloud.scf.layers.polls = 0
        with closing(TencentApi([KEY], [cloud.scf, cloud.ssm, cloud.eb])) as api:
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
    def test_a_whole_deployment_is_made_and_made_again(
        self, kycourier, deployer, cloud, environ, monkeypatch
    ):
        monkeypatch.setattr(zips, "MOST_IN_REQUEST", 300)
        deployer.wanted["packages"] = PACKAGES
        deployer.build(zips.SDK_ZIP, tencentcloud="1" * 400)
        deployer.write()

        ran = kycourier(*DEPLOY, "--yes", **environ)

        assert (ran.code, ran.err) == (0, "")
        (layer,) = cloud.scf.layers.versions[f"{NAME}-sdk"]
        assert layer.content == (deployer.dist / zips.SDK_ZIP).read_bytes()
        before = cloud.tell()
        again = kycourier(*DEPLOY, "--yes", **environ)
        assert again.code == 0
        assert "Nothing differs." in again.out
        assert cloud.tell() == before

    def test_a_secret_is_put_in_from_standard_input(
        self, kycourier, cloud, environ, monkeypatch
    ):
        kycourier(*DEPLOY, "--yes", **environ)
        value = f"{MARK}the-value"
        put = ["deploy", "secret", "KYCOURIER_APP_SECRET"]
        monkeypatch.setattr("sys.stdin", io_of(f"{value}\n"))

        ran = kycourier(*put, **environ)

        assert ran.code == 0
        assert cloud.secret("app-secret") == value
        monkeypatch.setattr("sys.stdin", io_of("\n"))
        assert kycourier(*put, **environ).code == 2
        assert cloud.secret("app-secret") == value

    def test_a_bucket_that_is_not_there_stops_it(self, kycourier, deployer, environ):
        evidence = "cos://absent-1250000000?region=ap-guangzhou"
        deployer.wanted["settings"]["KYCOURIER_EVIDENCE"] = evidence
        deployer.write()

        ran = kycourier(*DEPLOY, "--yes", **environ)

        assert ran.code == 2
        (line,) = ran.planned("cannot")
        assert line.startswith("cannot bucket absent-1250000000 no such bucket")

    def test_wrong_keys_end_it_in_one_line(self, kycourier, cloud, environ):
        wrong = {**environ, "TENCENTCLOUD_SECRETKEY": f"{MARK}another-key"}

        ran = kycourier(*DEPLOY, "--yes", **wrong)

        assert ran.code == 1
        assert "the keys in the environment are refused" in ran.err
        assert ran.err.count("\n") == 1
        assert cloud.scf.functions == {}


def io_of(text: str):
    """Give a standard input that is no terminal."""
    return io.StringIO(text)


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (DEPLOY, {}, "TENCENTCLOUD_SECRETID and TENCENTCLOUD_SECRETKEY: not set"),
        ([*DEPLOY, "--dist", "nowhere"], KEYS, "make package-tencent"),
        (["deploy", "tencent", "--config", "no.yml"], KEYS, "no.yml cannot be read"),
        (["deploy", "secret", "KYCOURIER_EVENTS"], KEYS, "refers to no secret"),
        (["--stack", "prod", *DEPLOY], KEYS, "leave out --stack"),
    ],
)
def test_what_is_missing_is_said_in_one_line_with_exit_code_2(
    kycourier, arguments, environ, said
):
    ran = kycourier(*arguments, **environ)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("command", ["tencent", "secret"])
def test_help_fits_80_columns_and_has_an_example(kycourier, command):
    ran = kycourier("deploy", command, "--help")

    assert ran.code == 0
    assert f"\n    kycourier deploy {command}" in ran.out.partition("Example")[2]
    assert max(map(len, ran.out.splitlines())) <= 80
