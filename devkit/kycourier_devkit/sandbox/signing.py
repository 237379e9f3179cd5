"""The platform's signature, for checking what a client sent (1007/37307)."""

import hmac
from collections.abc import Iterable
from hashlib import sha1


def sign(values: Iterable[str]) -> str:
    """Sort the values, join them without a separator, hash: 40 capital hex digits.

    Every value that reaches the platform is ASCII (parameters.py), where the order of
    code points is the order of code units: digits, capitals, small letters.
    """
    joined = "".join(sorted(values))
    return sha1(joined.encode(), usedforsecurity=False).hexdigest().upper()


def sign_matches(candidate: str, *, values: Iterable[str]) -> bool:
    """Whether `candidate` signs `values`; letter case does not count (1007/37307)."""
    return hmac.compare_digest(candidate.upper().encode(), sign(values).encode())
