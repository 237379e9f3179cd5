"""Suspends garbage collection during a cold start, whose objects live for ever."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cold_start() -> Iterator[None]:
    """Suspends garbage collection, then exempts all existing objects from it.

    This saves a seventh of a cold start on AWS, and most of each full collection later.
    """
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if is_collecting:
            gc.enable()
