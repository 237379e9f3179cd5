"""Finds a card's issuer by the first digits of its number: a hint, never a check.

The table is made of the npm package `bankcard` (MIT; its licence is in the data) by
`python -m kycourier_devkit.reference.issuer_table`.
"""

from collections.abc import Mapping
from functools import cache
from pkgutil import get_data

import msgspec
from msgspec import Struct

_MIN_PREFIX, _MAX_PREFIX = 3, 10


class _Range(Struct, frozen=True, array_like=True):
    """The cards of one prefix: the bank's code, the card's type, how many digits."""

    bank_code: str
    card_type: str
    length: int


class IssuerTable(Struct, frozen=True):
    """All issuers; `source` is the package and its version."""

    source: str
    licence: str
    banks: Mapping[str, str]
    ranges: Mapping[str, list[_Range]]

    def find(self, digits: str) -> Mapping[str, str] | None:
        """Returns the issuer of the longest prefix with this exact number of digits.

        Returns:
            `bank`, `bank_code`, `card_type` (`debit`, `credit`, `semi_credit` or
            `prepaid`) and `source`; None if the number is in no range.
        """
        for size in range(_MAX_PREFIX, _MIN_PREFIX - 1, -1):
            for each in self.ranges.get(digits[:size], ()):
                if each.length == len(digits):
                    return {
                        "bank": self.banks[each.bank_code],
                        "bank_code": each.bank_code,
                        "card_type": each.card_type,
                        "source": self.source,
                    }
        return None


@cache
def load_issuers() -> IssuerTable:
    """Loads the table; once per process, when the first card is recognized."""
    text = get_data("kycourier.core.documents", "bank_card_issuers.json") or b""
    return msgspec.json.decode(text, type=IssuerTable)
