"""The contract of SecretSource, held to by every implementation."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from kycourier.adapters.local.secrets import EnvSecret, FileSecret
from kycourier.adapters.redis.secrets import RedisSecret
from kycourier.core.errors import StoreUnavailable
from kycourier.core.hidden import Secret
from kycourier.ports import SecretSource
from redis_bench import around, empty, look_into, open_server
from stand_ins import IN_CLOUD

VALUE = "synthetic-app-secret"
StandIn = Callable[[str], str]


class Bench(NamedTuple):
    """A secret, a way to set it and a way to take it away."""

    source: SecretSource
    set: Callable[[str], object]
    remove: Callable[[], object]


def build_env(_: Path, __: StandIn) -> Bench:
    environ = {"OTHER": "not this one"}
    return Bench(
        EnvSecret("NAME", environ),
        lambda value: environ.update(NAME=value),
        lambda: environ.pop("NAME"),
    )


def build_file(folder: Path, _: StandIn) -> Bench:
    path = folder / "secret"
    return Bench(FileSecret(path), path.write_text, path.unlink)


def build_redis(_: Path, stand_in: StandIn) -> Bench:
    url = empty(stand_in("redis_url"))
    client, key = look_into(url), "their:{app}:ticket"
    return Bench(
        RedisSecret(open_server(url, around()), key),
        lambda value: client.set(key, value),
        lambda: client.delete(key),
    )


BUILD = {"env": build_env, "file": build_file, "redis": build_redis}
KINDS = ["env", "file", pytest.param("redis", marks=IN_CLOUD)]


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path, stand_in: StandIn) -> Bench:
    return BUILD[request.param](tmp_path, stand_in)


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
