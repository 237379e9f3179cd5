"""Draws the photos of an order's synthetic card, always the same bytes."""

from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import shake_256
from typing import TYPE_CHECKING

from kycourier_devkit.sandbox.documents.bank_card import card_for
from kycourier_devkit.sandbox.documents.drawing import CARD_SIZE, jpeg, lay_on_desk

if TYPE_CHECKING:
    from PIL.Image import Image

_NUMBER_STRIP = (40, 290, 836, 394)
_SPECIMEN = "SPECIMEN / NOT A REAL CARD"
_WHITE = (250, 250, 250)


@dataclass(frozen=True)
class Photos:
    """One order's photos: `original` 50 to 200 KB, the two crops smaller."""

    original: bytes = field(repr=False)
    cropped: bytes = field(repr=False)
    number: bytes = field(repr=False)


@lru_cache(maxsize=32)
def draw_photos(order_no: str) -> Photos:
    """Draws the three JPEG photos of an order's card."""
    card = _draw_card(order_no)
    desk = lay_on_desk(card, seed=order_no)
    return Photos(jpeg(desk), jpeg(card), jpeg(card.crop(_NUMBER_STRIP)))


@lru_cache(maxsize=128)
def photo_texts(order_no: str) -> tuple[str, str, str]:
    """Returns the photos in Base64: original, cropped, number."""
    photos = draw_photos(order_no)
    original, cropped, number = (
        b64encode(photo).decode()
        for photo in (photos.original, photos.cropped, photos.number)
    )
    return original, cropped, number


def _draw_card(order_no: str) -> "Image":
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - loading Pillow is slow

    card, colour = card_for(order_no), shake_256(order_no.encode()).digest(12)[9:]
    face = Image.new("RGB", CARD_SIZE, tuple(40 + value % 90 for value in colour))
    pen = ImageDraw.Draw(face)
    grouped = " ".join(card.number[at : at + 4] for at in range(0, 19, 4))
    for size, place, text in (
        (40, (48, 40), "SANDBOX BANK"),
        (34, (48, 110), _SPECIMEN),
        (60, (48, 300), grouped.strip()),
        (16, (48, 366), _SPECIMEN),  # inside the strip of the number
        (32, (48, 410), f"VALID THRU {card.valid_until}"),
        (24, (48, 480), order_no),
    ):
        pen.text(place, text, fill=_WHITE, font=ImageFont.load_default(size))
    pen.rounded_rectangle((48, 190, 148, 262), 12, fill=(212, 175, 90))
    return face
