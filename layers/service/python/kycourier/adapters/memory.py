"""What becomes of large blocks of memory that are freed."""

import ctypes
from contextlib import suppress

LARGE_BLOCK = 2 << 20
_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of glibc's malloc.h


def hand_back_large_blocks() -> None:
    """Have glibc give large blocks back at once, not keep them for each thread.

    Else ten threads that have each read a large reply hold ten times its size for good.
    Where the C library is another one nothing is done.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, LARGE_BLOCK)
