"""Tunes how glibc reuses large blocks of freed memory."""

import ctypes
from contextlib import suppress

LARGE_BLOCK = 8 << 20
KEPT_FREE = 16 << 20
MAX_ARENAS = 2
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # as in glibc's malloc.h


def tune_malloc() -> None:
    """Keeps the memory of one order's photos for the next, in few arenas.

    By default glibc returns blocks of this size to the system after each order and
    faults them in again, page by page. Without a limit on arenas, ten threads that have
    each read a large reply would keep ten times its size. Other C libraries are left
    as they are.
    """
    with suppress(OSError, AttributeError, TypeError):
        malloc = ctypes.CDLL(None)
        malloc.mallopt(_MMAP_THRESHOLD, LARGE_BLOCK)
        malloc.mallopt(_TRIM_THRESHOLD, KEPT_FREE)
        malloc.mallopt(_ARENA_MAX, MAX_ARENAS)
