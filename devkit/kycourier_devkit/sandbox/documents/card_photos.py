"""Draws the photos of an order's synthetic card, always the same bytes."""

import io
from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import shake_256
from typing import TYPE_CHECKING

from kycourier_devkit.sandbox.documents.bank_card import card_for

if TYPE_CHECKING:
    from PIL.Image import Image

_DESK = (1280, 960)
_CARD = (856, 540)
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
    desk = _draw_desk().copy()
    tilt = shake_256(order_no.encode()).digest(9)[8] % 7 - 3
    outline = _outline().rotate(tilt, expand=True)
    desk.paste(card.rotate(tilt, expand=True), (200, 190), outline)
    return Photos(_jpeg(desk), _jpeg(card), _jpeg(card.crop(_NUMBER_STRIP)))


@lru_cache(maxsize=128)
def photo_texts(order_no: str) -> tuple[str, str, str]:
    """Returns the photos in Base64: original, cropped, number."""
    photos = draw_photos(order_no)
    original, cropped, number = (
        b64encode(photo).decode()
        for photo in (photos.original, photos.cropped, photos.number)
    )
    return original, cropped, number


@lru_cache(maxsize=32)
def png_text(order_no: str) -> str:
    """Returns the crop of the card number as a PNG in Base64."""
    from PIL import Image  # noqa: PLC0415 - loading Pillow is slow

    with Image.open(io.BytesIO(draw_photos(order_no).number)) as photo:
        return b64encode(_saved(photo, "PNG")).decode()


def _draw_card(order_no: str) -> "Image":
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - as above

    card, colour = card_for(order_no), shake_256(order_no.encode()).digest(12)[9:]
    face = Image.new("RGB", _CARD, tuple(40 + value % 90 for value in colour))
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


@lru_cache(maxsize=1)
def _draw_desk() -> "Image":
    from PIL import Image  # noqa: PLC0415 - as above

    width, height = _DESK
    grain = shake_256(b"desk").digest(width * height // 4)
    grey = Image.frombytes("L", (width // 2, height // 2), grain).resize(_DESK)
    wood = Image.new("RGB", _DESK, (126, 94, 62))
    return Image.blend(Image.merge("RGB", (grey, grey, grey)), wood, 0.85)


@lru_cache(maxsize=1)
def _outline() -> "Image":
    from PIL import Image, ImageDraw  # noqa: PLC0415 - as above

    mask = Image.new("L", _CARD, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *_CARD), 40, fill=255)
    return mask


def _jpeg(image: "Image") -> bytes:
    return _saved(image, "JPEG")


def _saved(image: "Image", image_format: str) -> bytes:
    out = io.BytesIO()
    image.save(out, image_format, quality=80)
    return out.getvalue()
