"""What becomes of large blocks of memory that are freed."""

import ctypes
from contextlib import suppress

LARGE_BLOCK = 8 << 20
KEPT_FREE = 16 << 20
MOST_ARENAS = 2
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # as in glibc's malloc.h


def keep_memory_of_orders() -> None:
    """Have glibc keep what an order's photos took for the next, in few places.

    As it is, memory of this size is given back after each order and asked for again, a
    page at a time; while ten threads that have each read a large reply, each in a place
    of its own, would hold ten times its size for good. Where the C library is another
    one nothing is done.
    """
    with suppress(OSError, AttributeError, TypeError):
        malloc = ctypes.CDLL(None)
        malloc.mallopt(_MMAP_THRESHOLD, LARGE_BLOCK)
        malloc.mallopt(_TRIM_THRESHOLD, KEPT_FREE)
        malloc.mallopt(_ARENA_MAX, MOST_ARENAS)
