"""The contracts of Clock, Random and EventLog."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pytest

from kycourier.adapters.system import SystemClock, SystemRandom
from kycourier.logs import PowertoolsEventLog
from kycourier.ports import Clock, EventLog, Random
from support.fakes import FakeClock, FakeRandom, MemoryEventLog

# Clock


@pytest.fixture(params=[FakeClock, SystemClock])
def any_clock(request: pytest.FixtureRequest) -> Clock:
    return request.param()


def test_wall_clock_is_in_utc(any_clock):
    assert any_clock.now().utcoffset() == timedelta(0)


def test_sleep_advances_both_clocks(any_clock):
    wall, steady = any_clock.now(), any_clock.monotonic()

    any_clock.sleep(0.02)

    assert any_clock.monotonic() - steady >= 0.0199
    assert any_clock.now() - wall >= timedelta(seconds=0.015)


# Random


@pytest.fixture(params=[FakeRandom, SystemRandom])
def random(request: pytest.FixtureRequest) -> Random:
    return request.param()


def test_nonces_are_32_distinct_letters_and_digits(random):
    drawn = [random.nonce() for _ in range(500)]

    assert len(set(drawn)) == len(drawn)
    for nonce in drawn:
        assert len(nonce) == 32
        assert nonce.isascii()
        assert nonce.isalnum()


def test_draws_are_spread_over_zero_to_one(random):
    drawn = [random.draw() for _ in range(1000)]

    assert all(0 <= draw < 1 for draw in drawn)
    assert {int(draw * 4) for draw in drawn} == {0, 1, 2, 3}


def test_fake_random_repeats_for_the_same_seed_only():
    one, same, other = FakeRandom(7), FakeRandom(7), FakeRandom(8)
    assert (one.nonce(), one.draw()) == (same.nonce(), same.draw())
    assert one.nonce() != other.nonce()


# EventLog


class EventLogRig(NamedTuple):
    """An event log, and a reader of its entries."""

    event_log: EventLog
    entries: Callable[[], list[tuple[str, dict[str, object]]]]


def build_memory_event_log(_: pytest.LogCaptureFixture) -> EventLogRig:
    event_log = MemoryEventLog()
    return EventLogRig(event_log, lambda: list(event_log.entries))


def build_powertools_event_log(caplog: pytest.LogCaptureFixture) -> EventLogRig:
    return EventLogRig(
        PowertoolsEventLog(io.StringIO(), app_id="SANDBOX1"),
        lambda: [(record.getMessage(), vars(record)) for record in caplog.records],
    )


@pytest.fixture(params=[build_memory_event_log, build_powertools_event_log])
def rig(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> EventLogRig:
    return request.param(caplog)


def test_events_are_logged_in_order_with_their_fields(rig):
    rig.event_log.emit("ticket_refreshed", generation=3, seconds=3600.0)
    rig.event_log.emit("app_resumed", app_id="SANDBOX1")

    (first, first_fields), (second, second_fields) = rig.entries()
    assert (first, second) == ("ticket_refreshed", "app_resumed")
    assert {"generation": 3, "seconds": 3600.0}.items() <= first_fields.items()
    assert {"app_id": "SANDBOX1"}.items() <= second_fields.items()


@pytest.mark.parametrize(
    ("event", "fields"),
    [("something_happened", {}), ("ticket_refreshed", {"ticket": "synthetic-ticket"})],
)
def test_unknown_event_or_field_is_a_key_error(rig, event, fields):
    with pytest.raises(KeyError):
        rig.event_log.emit(event, **fields)

    assert rig.entries() == []
