"""Signs queries as the platform does (1007/37307)."""

import hashlib
from collections.abc import Iterable

from kycourier.core.redaction import Secret


def sign(values: Iterable[str | None]) -> Secret:
    """Signs values: sorted, joined, SHA-1.

    The order is by UTF-16 code unit, as in the vendor's Java samples: digits, capitals,
    small letters.

    Args:
        values: The values in any order. None is dropped, duplicates are kept, nothing
            is trimmed.

    Returns:
        40 upper-case hexadecimal digits.
    """
    present = (value for value in values if value is not None)
    joined = "".join(sorted(present, key=lambda value: value.encode("utf-16-be")))
    digest = hashlib.sha1(joined.encode(), usedforsecurity=False)
    return Secret(digest.hexdigest().upper())
