"""The contracts of Clock, NonceSource and Journal."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import pytest

from fakes import FakeClock, FakeNonces, MemoryJournal
from kycourier.adapters.system import SystemClock, SystemNonces
from kycourier.logs import PowertoolsJournal
from kycourier.ports import Clock, Journal, NonceSource

# Clock


@pytest.fixture(params=[FakeClock, SystemClock])
def any_clock(request: pytest.FixtureRequest) -> Clock:
    return request.param()


def test_wall_clock_is_in_utc(any_clock):
    assert any_clock.now().utcoffset() == timedelta(0)


def test_sleep_takes_its_time_on_both_clocks(any_clock):
    wall, steady = any_clock.now(), any_clock.monotonic()

    any_clock.sleep(0.02)

    assert any_clock.monotonic() - steady >= 0.0199
    assert any_clock.now() - wall >= timedelta(seconds=0.015)


def test_no_time_is_waited_at_once(any_clock):
    steady = any_clock.monotonic()

    any_clock.sleep(0)

    assert 0 <= any_clock.monotonic() - steady < 1


def test_setting_the_fake_wall_clock_leaves_the_steady_one():
    clock = FakeClock()
    steady = clock.monotonic()
    clock.set(datetime(2025, 1, 1, tzinfo=timezone.utc))

    assert clock.now() == datetime(2025, 1, 1, tzinfo=timezone.utc)
    assert clock.monotonic() == steady


# NonceSource


@pytest.fixture(params=[FakeNonces, SystemNonces])
def nonces(request: pytest.FixtureRequest) -> NonceSource:
    return request.param()


def test_nonce_is_32_letters_and_digits_and_never_the_same(nonces):
    drawn = [nonces.nonce() for _ in range(500)]

    assert len(set(drawn)) == len(drawn)
    for nonce in drawn:
        assert len(nonce) == 32
        assert nonce.isascii()
        assert nonce.isalnum()


def test_draws_are_spread_over_zero_to_one(nonces):
    drawn = [nonces.draw() for _ in range(1000)]

    assert all(0 <= draw < 1 for draw in drawn)
    assert {int(draw * 4) for draw in drawn} == {0, 1, 2, 3}


def test_fake_randomness_is_the_same_for_the_same_seed():
    one, same, other = FakeNonces(7), FakeNonces(7), FakeNonces(8)

    assert one.nonce() == same.nonce()
    assert one.draw() == same.draw()
    assert one.nonce() != other.nonce()


# Journal


class JournalBench(NamedTuple):
    """A journal, and a way to read what was noted."""

    journal: Journal
    noted: Callable[[], list[tuple[str, dict[str, object]]]]


def build_memory_journal(_: pytest.LogCaptureFixture) -> JournalBench:
    journal = MemoryJournal()
    return JournalBench(journal, lambda: list(journal.notes))


def build_powertools_journal(caplog: pytest.LogCaptureFixture) -> JournalBench:
    return JournalBench(
        PowertoolsJournal(io.StringIO(), app_id="SANDBOX1"),
        lambda: [(record.getMessage(), vars(record)) for record in caplog.records],
    )


@pytest.fixture(params=[build_memory_journal, build_powertools_journal])
def bench(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> JournalBench:
    return request.param(caplog)


def test_facts_are_noted_in_order_with_their_fields(bench):
    bench.journal.note("ticket_refreshed", generation=3, seconds=3600.0)
    bench.journal.note("app_resumed", app_id="SANDBOX1")

    (first, first_fields), (second, second_fields) = bench.noted()
    assert (first, second) == ("ticket_refreshed", "app_resumed")
    assert {"generation": 3, "seconds": 3600.0}.items() <= first_fields.items()
    assert {"app_id": "SANDBOX1"}.items() <= second_fields.items()


def test_unknown_fact_is_a_programming_error(bench):
    with pytest.raises(KeyError):
        bench.journal.note("something_happened")

    assert bench.noted() == []


def test_field_that_is_not_allow_listed_is_a_programming_error(bench):
    with pytest.raises(KeyError):
        bench.journal.note("ticket_refreshed", ticket="synthetic-ticket")

    assert bench.noted() == []
