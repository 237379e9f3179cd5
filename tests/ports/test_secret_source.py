"""The contract of SecretSource, run on every implementation."""

from collections.abc import Callable
from itertools import count
from typing import NamedTuple

import pytest

from kycourier.adapters.local.secrets import EnvSecret, FileSecret
from kycourier.adapters.redis.secrets import RedisSecret
from kycourier.adapters.registry import UnwrappedSecret
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret
from kycourier.ports import SecretSource
from support import tencent_api_rig as tencent
from support.aws.clients import aws_client, new_name
from support.aws.services import open_secret
from support.rigs.redis_rig import flush, open_redis_client, raw_client
from support.servers.emulators import EMULATOR_MARKS

VALUE = "synthetic-app-secret"


class SecretRig(NamedTuple):
    """A secret source, with functions that set and remove its value."""

    source: SecretSource
    set: Callable[[str], object]
    remove: Callable[[], object]


def build_env(_: pytest.FixtureRequest) -> SecretRig:
    environ = {"OTHER": "not this one"}
    return SecretRig(
        EnvSecret("NAME", environ),
        lambda value: environ.update(NAME=value),
        lambda: environ.pop("NAME"),
    )


def build_file(request: pytest.FixtureRequest) -> SecretRig:
    path = request.getfixturevalue("tmp_path") / "secret"
    return SecretRig(FileSecret(path), path.write_text, path.unlink)


def build_secretsmanager(request: pytest.FixtureRequest) -> SecretRig:
    moto, name = request.getfixturevalue("moto"), new_name("secret")
    keeper = aws_client("secretsmanager", moto)

    def put(value: str) -> None:
        listed = keeper.list_secrets(Filters=[{"Key": "name", "Values": [name]}])
        if not listed["SecretList"]:
            keeper.create_secret(Name=name)
        if value:  # templates create an empty secret
            keeper.put_secret_value(SecretId=name, SecretString=value)

    return SecretRig(
        open_secret(moto, "aws-secretsmanager", name),
        put,
        lambda: keeper.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True),
    )


def build_ssm(request: pytest.FixtureRequest) -> SecretRig:
    moto, name = request.getfixturevalue("moto"), f"/kycourier/{new_name('secret')}"
    keeper = aws_client("ssm", moto)

    def put(value: str) -> None:
        if value:  # Parameter Store rejects empty values
            keeper.put_parameter(
                Name=name, Value=value, Type="SecureString", Overwrite=True
            )

    return SecretRig(
        open_secret(moto, "aws-ssm", name),
        put,
        lambda: keeper.delete_parameter(Name=name),
    )


def build_tencent_ssm(request: pytest.FixtureRequest) -> SecretRig:
    account = request.getfixturevalue("account")
    versions = (f"v{number}" for number in count(1))

    def put(value: str) -> None:
        if value:  # SSM takes no empty one
            account.keep(value, VersionId=next(versions))

    return SecretRig(
        tencent.open_secret(account.url), put, lambda: account.set("DeleteSecret")
    )


def build_redis(request: pytest.FixtureRequest) -> SecretRig:
    url = flush(request.getfixturevalue("redis_url"))
    stored, key = raw_client(url), "their:{app}:ticket"
    return SecretRig(
        RedisSecret(open_redis_client(url), key),
        lambda value: stored.set(key, value),
        lambda: stored.delete(key),
    )


BUILD = {
    "env": build_env,
    "file": build_file,
    "secretsmanager": build_secretsmanager,
    "ssm": build_ssm,
    "tencent-ssm": build_tencent_ssm,
    "redis": build_redis,
}
KINDS = [
    "env",
    "file",
    pytest.param("secretsmanager", marks=EMULATOR_MARKS),
    pytest.param("ssm", marks=EMULATOR_MARKS),
    pytest.param("tencent-ssm", marks=pytest.mark.enable_socket),
    pytest.param("redis", marks=EMULATOR_MARKS),
]


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest) -> SecretRig:
    return BUILD[request.param](request)


def test_secret_is_returned_redacted(rig):
    rig.set(VALUE)

    assert rig.source.get() == Secret(VALUE)
    assert VALUE not in repr(rig.source)


def test_secret_is_read_at_each_load(rig):
    rig.set(VALUE)
    rig.source.get()
    rig.set("changed")

    assert rig.source.get() == Secret("changed")


@pytest.mark.parametrize(
    ("stored", "secret"),
    [
        (" v1=first\r\nv2=second \t", "v1=first\r\nv2=second"),
        (f"\ufeff{VALUE}\r\n", VALUE),
        (f'{{"any": "{VALUE}"}}\n', VALUE),
    ],
    ids=["blanks", "byte order mark", "console"],
)
def test_setting_reads_a_secret_without_what_was_put_around_it(rig, stored, secret):
    rig.set(stored)

    assert UnwrappedSecret(rig.source, None).get() == Secret(secret)


def set_and_remove(rig: SecretRig) -> None:
    rig.set(VALUE)
    rig.source.get()
    rig.remove()


@pytest.mark.parametrize(
    "change",
    [lambda _: None, set_and_remove, lambda rig: rig.set("")],
    ids=["missing", "removed", "empty"],
)
def test_absent_secret_is_store_unavailable(rig, change):
    change(rig)

    with pytest.raises(StoreUnavailableError) as failure:
        rig.source.get()

    assert failure.value.__context__ is None
