"""The platform's signature: sorted values, joined, SHA-1 (1007/37307)."""

import hashlib
from collections.abc import Iterable

from kycourier.core.hidden import Secret


def sign(values: Iterable[str | None]) -> Secret:
    """Sign `values` as the platform does: 40 hexadecimal digits, upper case.

    None is dropped, duplicates are kept, nothing is trimmed. The order is by UTF-16
    code unit, as in the vendor's Java samples: digits, capitals, small letters.
    """
    present = (value for value in values if value is not None)
    joined = "".join(sorted(present, key=lambda value: value.encode("utf-16-be")))
    digest = hashlib.sha1(joined.encode(), usedforsecurity=False)
    return Secret(digest.hexdigest().upper())
