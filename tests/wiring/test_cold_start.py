"""A start collects no garbage, and leaves the collector as it found it."""

import gc

import pytest

from kycourier.cold_start import cold_start


@pytest.fixture(autouse=True)
def thawed():
    """Let later tests collect again what was made meanwhile."""
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_meanwhile_and_what_was_made_is_left_alone_after():
    frozen = gc.get_freeze_count()
    with cold_start():
        assert not gc.isenabled()
        made = [[]]
        assert gc.get_freeze_count() == frozen

    assert gc.isenabled()
    assert gc.get_freeze_count() > frozen
    assert all(each is not made for each in gc.get_objects())


def test_a_start_that_fails_ends_the_pause_too():
    with pytest.raises(ValueError, match="setting"), cold_start():
        raise ValueError("setting")

    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    with cold_start():
        pass

    assert not gc.isenabled()
