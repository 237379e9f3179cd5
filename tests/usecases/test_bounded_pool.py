"""Concurrent work: hanging items are cancelled before the time limit."""

from threading import Barrier, Event, current_thread
from time import monotonic

import pytest

from kycourier.core.errors import OutOfTimeError
from kycourier.core.timing import BATCH_RESERVE_SECONDS
from kycourier.usecases.concurrency import BoundedPool, FanOut, run_sequentially
from kycourier.usecases.deadlines import Deadline


@pytest.fixture
def end():
    """Release hanging work at the test's end."""
    event = Event()
    yield event
    event.set()


def soon(seconds: float = 0.2) -> Deadline:
    return Deadline(monotonic, seconds=BATCH_RESERVE_SECONDS + seconds)


def work_on(end: Event):
    def work(item: str, _: Deadline) -> str:
        if item == "hangs":
            end.wait(60)
        if item == "fails":
            raise ValueError(item)
        return item

    return work


def test_each_item_has_its_own_result_or_error(end):
    first, second, third = BoundedPool(size=2).run(
        work_on(end), ["first", "fails", "third"], soon(10)
    )

    assert (first.result(), third.result()) == ("first", "third")
    assert isinstance(second.exception(), ValueError)


def test_hanging_item_is_cancelled_and_others_finish(end):
    pool, deadline = BoundedPool(size=3), soon()

    first, hangs, third = pool.run(work_on(end), ["first", "hangs", "third"], deadline)

    assert deadline.seconds() > 0
    assert (first.result(), third.result()) == ("first", "third")
    assert isinstance(hangs.exception(), OutOfTimeError)


def test_item_behind_a_hanging_one_never_starts(end):
    begun = []

    def work(item: str, deadline: Deadline) -> str:
        begun.append(item)
        return work_on(end)(item, deadline)

    futures = BoundedPool(size=1).run(work, ["hangs", "second"], soon())

    assert [type(each.exception()) for each in futures] == [OutOfTimeError] * 2
    end.set()
    assert begun == ["hangs"]


def test_hanging_thread_does_not_delay_the_next_run(end):
    pool = BoundedPool(size=1)
    pool.run(work_on(end), ["hangs"], soon())

    [later] = pool.run(work_on(end), ["later"], soon(10))

    assert later.result() == "later"


@pytest.mark.parametrize("run", [FanOut(size=2).run, run_sequentially])
def test_results_keep_their_order_and_a_failure_is_raised(run):
    assert run(str, [3, 1, 2]) == ["3", "1", "2"]
    assert run(str, []) == []
    with pytest.raises(ValueError, match="no number"):
        run(int, ["1", "no number"])


def test_items_run_concurrently_on_kept_threads():
    together, pool = Barrier(3, timeout=5), FanOut(size=3)

    def work(_: int) -> str:
        together.wait()
        return current_thread().name

    first, second = (set(pool.run(work, range(3))) for _ in range(2))

    assert len(first) == 3
    assert second == first
