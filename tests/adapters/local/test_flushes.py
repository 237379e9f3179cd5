"""Threads share flushes, and no write returns before its bytes are durable."""

import errno
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from kycourier.adapters.local.files import group_flush

SOON = 10.0


class Disk:
    """A fake disk whose flushes end when `may_end` is set."""

    def __init__(self) -> None:
        self.written = self.durable = self.flushes = 0
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.fails = False

    def flush(self) -> None:
        reached, fails = self.written, self.fails
        self.flushes += 1
        self.begun.set()
        assert self.may_end.wait(SOON)
        if fails:
            raise OSError(errno.EIO, "bad sector")
        self.durable = max(self.durable, reached)


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(10) as threads:
        yield threads


def write(disk: Disk) -> bool:
    """Write and flush; return whether the write was durable on return."""
    disk.written += 1
    mine = disk.written
    group_flush(id(disk), disk.flush)
    return disk.durable >= mine


def begin(disk: Disk, pool: ThreadPoolExecutor) -> "Future[bool]":
    """Start a thread's write; return while its flush is in progress."""
    first = pool.submit(write, disk)
    assert disk.begun.wait(SOON)
    return first


def wait_until(is_so: Callable[[], bool]) -> None:
    ends_at = monotonic() + SOON
    while not is_so():
        assert monotonic() < ends_at
        sleep(0.01)


@pytest.mark.parametrize("count", [1, 8])
def test_writes_during_a_flush_wait_for_the_next_and_share_it(disk, pool, count):
    first = begin(disk, pool)
    others = [pool.submit(write, disk) for _ in range(count)]
    wait_until(lambda: disk.written == 1 + count)
    sleep(0.1)
    assert not any(each.done() for each in others)

    disk.may_end.set()

    assert all(each.result() for each in (first, *others))
    assert disk.flushes == 2


def test_failed_flush_fails_every_waiting_writer(disk, pool):
    first = begin(disk, pool)
    disk.fails = True
    others = [pool.submit(write, disk) for _ in range(3)]
    wait_until(lambda: disk.written == 4)
    sleep(0.1)

    disk.may_end.set()

    assert first.result()
    assert [each.exception().errno for each in others] == [errno.EIO] * 3
    disk.fails = False
    assert write(disk)


def test_forked_child_does_not_wait_for_the_parents_flush(disk, pool):
    first = begin(disk, pool)
    child = os.fork()
    if child == 0:
        disk.may_end.set()
        os._exit(0 if write(disk) else 1)
    _, status = os.waitpid(child, 0)
    disk.may_end.set()

    assert first.result()
    assert os.waitstatus_to_exitcode(status) == 0
