"""The contract of SecretSource, held to by every implementation."""

from collections.abc import Callable
from itertools import count
from typing import NamedTuple

import pytest

from aws.access import client, new_name
from aws.edges import open_secret
from kycourier.adapters.local.secrets import EnvSecret, FileSecret
from kycourier.adapters.redis.secrets import RedisSecret
from kycourier.core.errors import StoreUnavailable
from kycourier.core.hidden import Secret
from kycourier.ports import SecretSource
from redis_bench import around, empty, look_into, open_server
from stand_ins import IN_CLOUD
from tencent import account as tencent

VALUE = "synthetic-app-secret"


class Bench(NamedTuple):
    """A secret, a way to set it and a way to take it away."""

    source: SecretSource
    set: Callable[[str], object]
    remove: Callable[[], object]


def build_env(_: pytest.FixtureRequest) -> Bench:
    environ = {"OTHER": "not this one"}
    return Bench(
        EnvSecret("NAME", environ),
        lambda value: environ.update(NAME=value),
        lambda: environ.pop("NAME"),
    )


def build_file(request: pytest.FixtureRequest) -> Bench:
    path = request.getfixturevalue("tmp_path") / "secret"
    return Bench(FileSecret(path), path.write_text, path.unlink)


def build_secretsmanager(request: pytest.FixtureRequest) -> Bench:
    moto, name = request.getfixturevalue("moto"), new_name("secret")
    keeper = client("secretsmanager", moto)

    def put(value: str) -> None:
        listed = keeper.list_secrets(Filters=[{"Key": "name", "Values": [name]}])
        if not listed["SecretList"]:
            keeper.create_secret(Name=name)
        if value:  # an empty one is what a template creates
            keeper.put_secret_value(SecretId=name, SecretString=value)

    return Bench(
        open_secret(moto, "aws-secretsmanager", name),
        put,
        lambda: keeper.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True),
    )


def build_ssm(request: pytest.FixtureRequest) -> Bench:
    moto, name = request.getfixturevalue("moto"), f"/kycourier/{new_name('secret')}"
    keeper = client("ssm", moto)

    def put(value: str) -> None:
        if value:  # Parameter Store takes no empty one
            keeper.put_parameter(
                Name=name, Value=value, Type="SecureString", Overwrite=True
            )

    return Bench(
        open_secret(moto, "aws-ssm", name),
        put,
        lambda: keeper.delete_parameter(Name=name),
    )


def build_tencent_ssm(request: pytest.FixtureRequest) -> Bench:
    account = request.getfixturevalue("account")
    versions = (f"v{number}" for number in count(1))

    def put(value: str) -> None:
        if value:  # SSM takes no empty one
            account.keep(value, VersionId=next(versions))

    return Bench(
        tencent.open_secret(account.url), put, lambda: account.set("DeleteSecret")
    )


def build_redis(request: pytest.FixtureRequest) -> Bench:
    url = empty(request.getfixturevalue("redis_url"))
    stored, key = look_into(url), "their:{app}:ticket"
    return Bench(
        RedisSecret(open_server(url, around()), key),
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
    pytest.param("secretsmanager", marks=IN_CLOUD),
    pytest.param("ssm", marks=IN_CLOUD),
    pytest.param("tencent-ssm", marks=pytest.mark.enable_socket),
    pytest.param("redis", marks=IN_CLOUD),
]


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return BUILD[request.param](request)


def test_secret_is_given_hidden(bench):
    bench.set(VALUE)

    assert bench.source.load() == Secret(VALUE)
    assert VALUE not in repr(bench.source)


def test_secret_is_read_anew_each_time(bench):
    bench.set(VALUE)
    bench.source.load()
    bench.set("changed")

    assert bench.source.load() == Secret("changed")


def test_lines_within_a_secret_and_blanks_around_it_are_kept(bench):
    bench.set(" v1=first\r\nv2=second \t")

    assert bench.source.load() == Secret(" v1=first\r\nv2=second \t")


def test_secret_that_is_missing_is_the_stores_failure(bench):
    with pytest.raises(StoreUnavailable) as failure:
        bench.source.load()

    assert failure.value.__context__ is None


def test_secret_that_was_taken_away_is_missing(bench):
    bench.set(VALUE)
    bench.source.load()
    bench.remove()

    with pytest.raises(StoreUnavailable):
        bench.source.load()


def test_empty_secret_is_no_secret(bench):
    bench.set("")

    with pytest.raises(StoreUnavailable):
        bench.source.load()
