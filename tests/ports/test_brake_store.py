"""The contract of BrakeStore, held to by every implementation."""

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from aws.table import make_table, open_held
from fakes import FakeClock, MemoryBrakeStore
from kycourier.adapters.aws.brake import DynamoBrakeStore
from kycourier.adapters.local.brake import SqliteBrakeStore
from kycourier.adapters.redis.brake import RedisBrakeStore
from kycourier.core.brake import Brake
from kycourier.core.errors import StaleOwner
from kycourier.ports import BrakeStore
from redis_bench import ServerOnFakeTime, empty

APP = "SANDBOX1"


def build_dynamodb(url: str) -> BrakeStore:
    return DynamoBrakeStore(open_held(url, make_table(url), FakeClock()))


def build_redis(url: str) -> BrakeStore:
    return RedisBrakeStore(ServerOnFakeTime(empty(url), FakeClock()))


BUILD: dict[str, Callable[[Any], BrakeStore]] = {
    "memory": lambda _: MemoryBrakeStore(),
    "sqlite": lambda folder: SqliteBrakeStore(folder / "state.db"),
    "dynamodb": build_dynamodb,
    "dynalite": build_dynamodb,
    "bench_table": build_dynamodb,
    "redis": build_redis,
}
TRIPPED = Brake(
    unanswered=10,
    trips=2,
    paused_until=datetime(2026, 1, 1, 0, 5, 0, 654321, timezone.utc),
    version=1,
)


@pytest.fixture
def brakes(kind: str, place: Path | str) -> BrakeStore:
    return BUILD[kind](place)


def test_brake_is_clean_at_first(brakes):
    assert brakes.load(APP) == Brake()


def test_tripped_brake_is_read_back_whole(brakes):
    brakes.trip(APP, TRIPPED, expected_version=0)

    assert brakes.load(APP) == TRIPPED


def test_stopped_brake_is_read_back_as_stopped(brakes):
    brakes.trip(APP, Brake(until_resumed=True, version=1), expected_version=0)

    assert brakes.load(APP).until_resumed


@pytest.mark.parametrize("expected", [0, 2])
def test_write_over_another_version_is_refused_and_the_brake_stands(brakes, expected):
    brakes.trip(APP, TRIPPED, expected_version=0)

    with pytest.raises(StaleOwner):
        brakes.trip(APP, Brake(version=9), expected_version=expected)

    assert brakes.load(APP) == TRIPPED


def test_first_write_that_expects_an_earlier_one_is_refused(brakes):
    with pytest.raises(StaleOwner):
        brakes.trip(APP, TRIPPED, expected_version=1)


def test_next_write_over_the_expected_version_is_taken(brakes):
    brakes.trip(APP, TRIPPED, expected_version=0)
    brakes.trip(APP, Brake(unanswered=11, version=2), expected_version=1)

    assert brakes.load(APP) == Brake(unanswered=11, version=2)


def test_release_leaves_a_clean_brake_of_a_higher_version(brakes):
    brakes.trip(APP, TRIPPED, expected_version=0)

    brakes.release(APP)

    assert brakes.load(APP) == Brake(version=brakes.load(APP).version)
    assert brakes.load(APP).version > TRIPPED.version


def test_worker_that_read_before_the_release_cannot_bring_the_pause_back(brakes):
    brakes.trip(APP, TRIPPED, expected_version=0)
    brakes.release(APP)

    with pytest.raises(StaleOwner):
        brakes.trip(APP, Brake(trips=3, version=2), expected_version=1)


def test_release_of_a_clean_brake_leaves_it_clean(brakes):
    brakes.release(APP)

    assert brakes.load(APP) == Brake(version=brakes.load(APP).version)


def test_apps_have_their_own_brakes(brakes):
    brakes.trip(APP, TRIPPED, expected_version=0)
    brakes.release("SANDBOX2")

    assert brakes.load(APP) == TRIPPED
    assert not brakes.load("SANDBOX2").trips


def test_one_of_many_writes_over_a_version_wins(brakes, at_once):
    def trip(worker: int) -> int | None:
        try:
            brakes.trip(APP, Brake(trips=worker + 1, version=1), expected_version=0)
        except StaleOwner:
            return None
        return worker + 1

    won = [trips for trips in at_once(trip) if trips]

    assert won == [brakes.load(APP).trips]
