"""The orders of a load run: most cannot be read, some have photos, evenly mixed.

An order without photos is one that the platform could not read (`-9011`): it is
rejected at once, with its event. A collected one is never without: photos that do not
come are waited for by the clock, which is no load.
"""

from collections.abc import Iterator

from msgspec import Struct


class Orders(Struct, frozen=True, kw_only=True):
    """How many of each; `photo_bytes` is the size of each of three photos."""

    plain: int
    with_photos: int
    photo_bytes: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.plain + self.with_photos

    def numbers(self) -> Iterator[str]:
        """Spell the order numbers as the stand-in of the platform reads them."""
        photos = 0
        for at in range(self.total):
            if (at + 1) * self.with_photos // self.total > photos:
                photos += 1
                yield f"p{self.photo_bytes}n{photos}x"
            else:
                yield f"u{at - photos}x"


def has_photos(order_no: str) -> bool:
    """Tell whether an order of this run has photos."""
    return order_no.startswith("p")
