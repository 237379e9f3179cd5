"""The orders of a load run: most without photos and some with photos, evenly mixed.

An order without photos is one that the platform could not read (`-9011`), which is
rejected at once. A collected order always has photos, because the service would wait
for missing ones, which is not load.
"""

from collections.abc import Iterator

from msgspec import Struct


class Orders(Struct, frozen=True, kw_only=True):
    """The number of each kind; `photo_bytes` is the size of each of three photos."""

    plain: int
    with_photos: int
    photo_bytes: int

    @property
    def total(self) -> int:
        """The number of all orders."""
        return self.plain + self.with_photos

    def numbers(self) -> Iterator[str]:
        """Yields order numbers that the emulated platform understands."""
        photos = 0
        for at in range(self.total):
            if (at + 1) * self.with_photos // self.total > photos:
                photos += 1
                yield f"p{self.photo_bytes}n{photos}x"
            else:
                yield f"u{at - photos}x"


def has_photos(order_no: str) -> bool:
    """Returns whether an order of this run has photos."""
    return order_no.startswith("p")
