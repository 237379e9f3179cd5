"""A cold start pauses garbage collection and restores the collector's state."""

import gc

import pytest

from kycourier.cold_start import cold_start


@pytest.fixture(autouse=True)
def thawed():
    """Unfreeze objects after the test, so that later tests can collect them."""
    yield
    gc.unfreeze()
    gc.enable()


def test_cold_start_pauses_the_collector_and_freezes_its_objects():
    frozen = gc.get_freeze_count()
    with cold_start():
        assert not gc.isenabled()
        made = [[]]
        assert gc.get_freeze_count() == frozen

    assert gc.isenabled()
    assert gc.get_freeze_count() > frozen
    assert all(each is not made for each in gc.get_objects())


def test_failed_start_resumes_the_collector():
    with pytest.raises(ValueError, match="setting"), cold_start():
        raise ValueError("setting")

    assert gc.isenabled()


def test_disabled_collector_stays_disabled():
    gc.disable()
    with cold_start():
        pass

    assert not gc.isenabled()
