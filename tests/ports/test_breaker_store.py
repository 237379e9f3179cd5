"""The contract of the breaker store, run on every implementation."""

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kycourier.adapters.aws.breaker import DynamoBreakerStore
from kycourier.adapters.local.breaker import SqliteBreakerStore
from kycourier.adapters.redis.breaker import RedisBreakerStore
from kycourier.core.circuit_breaker import BreakerRecord
from kycourier.core.errors import StaleOwnerError
from kycourier.ports import BreakerStore
from support.aws.dynamo_table import make_table, open_table
from support.fakes import FakeClock, MemoryBreakerStore
from support.rigs.redis_rig import FakeTimeRedisServer, flush

APP = "SANDBOX1"


def build_dynamodb(url: str) -> BreakerStore:
    return DynamoBreakerStore(open_table(url, make_table(url), FakeClock()))


def build_redis(url: str) -> BreakerStore:
    return RedisBreakerStore(FakeTimeRedisServer(flush(url), FakeClock()))


BUILD: dict[str, Callable[[Any], BreakerStore]] = {
    "memory": lambda _: MemoryBreakerStore(),
    "sqlite": lambda folder: SqliteBreakerStore(folder / "state.db"),
    "dynamodb": build_dynamodb,
    "dynalite": build_dynamodb,
    "bench_table": build_dynamodb,
    "redis": build_redis,
}
TRIPPED = BreakerRecord(
    failures=10,
    openings=2,
    open_until=datetime(2026, 1, 1, 0, 5, 0, 654321, timezone.utc),
    version=1,
)


@pytest.fixture
def breakers(kind: str, location: Path | str) -> BreakerStore:
    return BUILD[kind](location)


def test_breaker_is_closed_at_first(breakers):
    assert breakers.get(APP) == BreakerRecord()


def test_open_breaker_is_read_back_whole(breakers):
    breakers.open(APP, TRIPPED, expected_version=0)

    assert breakers.get(APP) == TRIPPED


def test_stopped_breaker_is_read_back_as_stopped(breakers):
    breakers.open(APP, BreakerRecord(until_resumed=True, version=1), expected_version=0)

    assert breakers.get(APP).until_resumed


@pytest.mark.parametrize("expected", [0, 2])
def test_write_over_another_version_is_rejected_unchanged(breakers, expected):
    breakers.open(APP, TRIPPED, expected_version=0)

    with pytest.raises(StaleOwnerError):
        breakers.open(APP, BreakerRecord(version=9), expected_version=expected)

    assert breakers.get(APP) == TRIPPED


def test_first_write_that_expects_a_version_is_rejected(breakers):
    with pytest.raises(StaleOwnerError):
        breakers.open(APP, TRIPPED, expected_version=1)


def test_write_over_the_expected_version_succeeds(breakers):
    breakers.open(APP, TRIPPED, expected_version=0)
    breakers.open(APP, BreakerRecord(failures=11, version=2), expected_version=1)

    assert breakers.get(APP) == BreakerRecord(failures=11, version=2)


def test_release_closes_the_breaker_with_a_higher_version(breakers):
    breakers.open(APP, TRIPPED, expected_version=0)

    breakers.close(APP)

    assert breakers.get(APP) == BreakerRecord(version=breakers.get(APP).version)
    assert breakers.get(APP).version > TRIPPED.version


def test_write_from_before_the_release_is_rejected(breakers):
    breakers.open(APP, TRIPPED, expected_version=0)
    breakers.close(APP)

    with pytest.raises(StaleOwnerError):
        breakers.open(APP, BreakerRecord(openings=3, version=2), expected_version=1)


def test_release_of_a_closed_breaker_keeps_it_closed(breakers):
    breakers.close(APP)

    assert breakers.get(APP) == BreakerRecord(version=breakers.get(APP).version)


def test_apps_have_separate_breakers(breakers):
    breakers.open(APP, TRIPPED, expected_version=0)
    breakers.close("SANDBOX2")

    assert breakers.get(APP) == TRIPPED
    assert not breakers.get("SANDBOX2").openings


def test_one_of_many_concurrent_writes_wins(breakers, at_once):
    def trip(worker: int) -> int | None:
        try:
            breakers.open(
                APP, BreakerRecord(openings=worker + 1, version=1), expected_version=0
            )
        except StaleOwnerError:
            return None
        return worker + 1

    won = [openings for openings in at_once(trip) if openings]

    assert won == [breakers.get(APP).openings]
