"""Computes and checks the signature of a query (1007/37307)."""

import hmac
from collections.abc import Iterable
from hashlib import sha1


def sign(values: Iterable[str]) -> str:
    """Returns the SHA-1 of the sorted and joined values: 40 capital hex digits.

    All values are ASCII (parameters.py), so that the order of code points equals the
    order of UTF-16 code units, by which the platform sorts.
    """
    joined = "".join(sorted(values))
    return sha1(joined.encode(), usedforsecurity=False).hexdigest().upper()


def is_signature(candidate: str, *, values: Iterable[str]) -> bool:
    """Returns whether `candidate` signs `values`, in either letter case."""
    return hmac.compare_digest(candidate.upper().encode(), sign(values).encode())
