"""Orders worked on at once: one that hangs is given up before the time is over."""

from threading import Barrier, Event, current_thread
from time import monotonic

import pytest

from kycourier.core.errors import OutOfTime
from kycourier.usecases.side_by_side import (
    RETURN_SECONDS,
    AllAtOnce,
    SideBySide,
    run_in_turn,
)
from kycourier.usecases.time_left import TimeLeft


@pytest.fixture
def end():
    """Let go at the end whatever hangs."""
    event = Event()
    yield event
    event.set()


def soon(seconds: float = 0.2) -> TimeLeft:
    return TimeLeft(monotonic, seconds=RETURN_SECONDS + seconds)


def work_on(end: Event):
    def work(item: str, _: TimeLeft) -> str:
        if item == "hangs":
            end.wait(60)
        if item == "fails":
            raise ValueError(item)
        return item

    return work


def test_each_item_has_its_own_result_or_error(end):
    first, second, third = SideBySide(most=2).run(
        work_on(end), ["first", "fails", "third"], soon(10)
    )

    assert (first.result(), third.result()) == ("first", "third")
    assert isinstance(second.exception(), ValueError)


def test_what_hangs_is_given_up_and_the_others_are_done(end):
    pool, time_left = SideBySide(most=3), soon()

    first, hangs, third = pool.run(work_on(end), ["first", "hangs", "third"], time_left)

    assert time_left.seconds() > 0
    assert (first.result(), third.result()) == ("first", "third")
    assert isinstance(hangs.exception(), OutOfTime)


def test_what_stands_behind_one_that_hangs_is_given_up_and_never_begun(end):
    begun = []

    def work(item: str, time_left: TimeLeft) -> str:
        begun.append(item)
        return work_on(end)(item, time_left)

    futures = SideBySide(most=1).run(work, ["hangs", "second"], soon())

    assert [type(each.exception()) for each in futures] == [OutOfTime] * 2
    end.set()
    assert begun == ["hangs"]


def test_threads_that_hang_hold_up_no_later_run(end):
    pool = SideBySide(most=1)
    pool.run(work_on(end), ["hangs"], soon())

    [later] = pool.run(work_on(end), ["later"], soon(10))

    assert later.result() == "later"


@pytest.mark.parametrize("run", [AllAtOnce(most=2).run, run_in_turn])
def test_photos_come_back_in_order_and_a_failure_is_raised(run):
    assert run(str, [3, 1, 2]) == ["3", "1", "2"]
    assert run(str, []) == []
    with pytest.raises(ValueError, match="no number"):
        run(int, ["1", "no number"])


def test_photos_are_put_at_once_on_threads_that_are_kept():
    together, pool = Barrier(3, timeout=5), AllAtOnce(most=3)

    def work(_: int) -> str:
        together.wait()
        return current_thread().name

    first, second = (set(pool.run(work, range(3))) for _ in range(2))

    assert len(first) == 3
    assert second == first
