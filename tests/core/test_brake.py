"""The app's pause."""

from datetime import datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.brake import (
    Brake,
    Phase,
    Signal,
    after,
    decode_brake,
    encode_brake,
    phase,
)
from kycourier.core.errors import NewerSchema, StoreUnavailable

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)


def told(brake, *signals, now=AT, least=0, draw=0.0):
    for signal in signals:
        brake = after(brake, signal, now=now, least=least * SECOND, draw=draw)
    return brake


def paused(seconds=5, trips=1):
    return Brake(trips=trips, paused_until=AT + seconds * SECOND, version=3)


def test_nine_calls_without_an_answer_do_not_pause_and_ten_do():
    nine = told(Brake(), *[Signal.UNANSWERED] * 9)
    assert phase(nine, now=AT) is Phase.RUNNING
    ten = told(nine, Signal.UNANSWERED)
    assert phase(ten, now=AT) is Phase.PAUSED
    assert ten.unanswered == 10


def test_an_answer_in_between_begins_the_count_anew():
    brake = told(Brake(), *[Signal.UNANSWERED] * 9, Signal.ANSWERED)
    assert phase(told(brake, Signal.UNANSWERED), now=AT) is Phase.RUNNING


def test_one_throttling_answer_pauses_for_seconds():
    brake = told(Brake(), Signal.THROTTLED)
    assert timedelta(0) < brake.paused_until - AT <= 5 * SECOND


@given(st.integers(0, 40), st.floats(0, 0.99))
def test_pauses_grow_with_jitter_to_five_minutes(trips, draw):
    brake = Brake(trips=trips, paused_until=AT - SECOND)
    pause = told(brake, Signal.THROTTLED, draw=draw).paused_until - AT
    ceiling = min(300, 5 * 2 ** min(trips, 20))
    assert ceiling / 2 <= pause.total_seconds() < ceiling


def test_retry_after_lengthens_a_pause():
    brake = told(Brake(), Signal.THROTTLED, least=120)
    assert brake.paused_until == AT + 120 * SECOND


@pytest.mark.parametrize("signal", [Signal.THROTTLED, Signal.UNANSWERED])
def test_what_was_in_flight_when_the_pause_began_does_not_escalate_it(signal):
    assert told(paused(), signal) == paused()
    assert told(paused(), signal, least=5) == paused()
    longer = told(paused(), signal, least=60)
    assert (longer.trips, longer.paused_until) == (1, AT + 60 * SECOND)


def test_an_answer_while_nothing_is_wrong_is_not_written():
    assert told(Brake(version=3), Signal.ANSWERED) == Brake(version=3)


def test_an_answer_to_a_call_begun_before_does_not_end_the_pause():
    assert told(paused(), Signal.ANSWERED) == paused()


def test_after_the_pause_one_trial_decides():
    over = AT + 5 * SECOND
    assert phase(paused(), now=over) is Phase.TRIAL
    released = told(paused(), Signal.ANSWERED, now=over)
    assert phase(released, now=over) is Phase.RUNNING
    assert (released.trips, released.unanswered) == (0, 0)
    again = told(paused(), Signal.UNANSWERED, now=over)
    assert phase(again, now=over) is Phase.PAUSED
    assert again.trips == 2


def test_an_unknown_app_pauses_until_a_person_resumes_it():
    stopped = told(Brake(), Signal.STOPPED)
    assert phase(stopped, now=AT + timedelta(days=900)) is Phase.PAUSED
    assert told(stopped, *Signal) == stopped


@given(st.lists(st.sampled_from(Signal), max_size=30))
def test_each_change_is_one_version_on_and_no_change_is_the_same_value(signals):
    brake = Brake()
    for signal in signals:
        changed = told(brake, signal)
        assert changed.version - brake.version == (changed != brake)
        brake = changed


@pytest.mark.parametrize("brake", [Brake(), paused(), told(Brake(), Signal.STOPPED)])
def test_a_kept_brake_comes_back_and_carries_its_schema(brake):
    kept = encode_brake(brake)
    assert decode_brake(kept) == brake
    assert msgspec.json.decode(kept)["schema"] == 1


def test_a_brake_of_a_newer_release_is_left():
    with pytest.raises(NewerSchema) as caught:
        decode_brake(b'{"schema":2}')
    assert caught.value.reason == "brake"


def test_a_damaged_brake_is_told():
    with pytest.raises(StoreUnavailable) as caught:
        decode_brake(b'{"schema":1,"version":"x"}')
    assert caught.value.reason == "brake record unreadable"
