"""What becomes of large blocks of memory that are freed."""

import ctypes
from contextlib import suppress

LARGE_BLOCK = 2 << 20
KEPT_FREE = 8 << 20
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # as in glibc's malloc.h


def hand_back_large_blocks() -> None:
    """Have glibc give large blocks back at once, and keep a little of the small ones.

    Else ten threads that have each read a large reply hold ten times its size for good,
    and memory for the photos of each order is given back and asked for again, a page at
    a time. Where the C library is another one nothing is done.
    """
    with suppress(OSError, AttributeError, TypeError):
        malloc = ctypes.CDLL(None)
        malloc.mallopt(_MMAP_THRESHOLD, LARGE_BLOCK)
        malloc.mallopt(_TRIM_THRESHOLD, KEPT_FREE)
