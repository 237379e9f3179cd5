"""Draws what the pictures of several documents share; Pillow is loaded when needed."""

import io
from base64 import b64encode
from functools import lru_cache
from hashlib import shake_256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

CARD_SIZE = (856, 540)  # of an ID-1 card, in pixels
_DESK = (1280, 960)


def lay_on_desk(card: "Image", *, seed: str) -> "Image":
    """Returns the picture of a card, CARD_SIZE, that lies slightly turned on a desk."""
    tilt = shake_256(seed.encode()).digest(9)[8] % 7 - 3
    desk = _draw_desk().copy()
    outline = _outline().rotate(tilt, expand=True)
    desk.paste(card.rotate(tilt, expand=True), (200, 190), outline)
    return desk


def jpeg(image: "Image", *, quality: int = 80) -> bytes:
    """Returns an image as JPEG."""
    return _saved(image, "JPEG", quality=quality)


@lru_cache(maxsize=32)
def png_text(photo: bytes) -> str:
    """Returns a JPEG as PNG in Base64."""
    from PIL import Image  # noqa: PLC0415 - loading Pillow is slow

    with Image.open(io.BytesIO(photo)) as image:
        return b64encode(_saved(image, "PNG", quality=80)).decode()


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

    mask = Image.new("L", CARD_SIZE, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *CARD_SIZE), 40, fill=255)
    return mask


def _saved(image: "Image", image_format: str, *, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, image_format, quality=quality)
    return out.getvalue()
