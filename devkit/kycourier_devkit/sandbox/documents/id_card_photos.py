"""Draws the photos of an order's synthetic ID card, always the same bytes."""

import math
from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import shake_256
from typing import TYPE_CHECKING

from kycourier_devkit.sandbox.documents.drawing import CARD_SIZE, jpeg, lay_on_desk
from kycourier_devkit.sandbox.documents.id_card import id_card_for
from kycourier_devkit.sandbox.documents.portrait import draw_portrait

if TYPE_CHECKING:
    from PIL.Image import Image

_HEAD = (560, 90, 800, 390)
_SPECIMEN = "SPECIMEN / NOT A REAL CARD"
_INK = (30, 40, 60)
_DISC = (70, 110, 150)
Line = tuple[int, tuple[int, int], str]  # (size, place, text)


@dataclass(frozen=True)
class IdCardPhotos:
    """One order's JPEG photos: the originals 50 to 200 KB, the crops smaller."""

    front: bytes = field(repr=False)
    back: bytes = field(repr=False)
    front_crop: bytes = field(repr=False)
    back_crop: bytes = field(repr=False)
    head: bytes = field(repr=False)


@lru_cache(maxsize=32)
def draw_id_card(order_no: str) -> IdCardPhotos:
    """Draws both sides of an order's ID card, their crops, and the head photo."""
    front, back = _draw_front(order_no), _draw_back(order_no)
    return IdCardPhotos(
        front=jpeg(lay_on_desk(front, seed=f"front {order_no}")),
        back=jpeg(lay_on_desk(back, seed=f"back {order_no}")),
        front_crop=jpeg(front),
        back_crop=jpeg(back),
        head=jpeg(front.crop(_HEAD)),
    )


@lru_cache(maxsize=64)
def id_card_photo_texts(order_no: str) -> dict[str, str]:
    """Returns the photos in Base64 by the names of the platform's fields."""
    photos = draw_id_card(order_no)
    named = {
        "frontPhoto": photos.front,
        "backPhoto": photos.back,
        "frontCrop": photos.front_crop,
        "backCrop": photos.back_crop,
        "headPhoto": photos.head,
    }
    return {name: b64encode(photo).decode() for name, photo in named.items()}


def _draw_front(order_no: str) -> "Image":
    card = id_card_for(order_no)
    face = _draw_blank(
        order_no,
        (34, (48, 40), "SANDBOX ID CARD"),
        (26, (48, 110), _SPECIMEN),
        (30, (48, 180), f"SEX {'M' if card.sex == '男' else 'F'}"),
        (30, (48, 240), f"BORN {card.birth}"),
        (30, (48, 300), "ADDRESS TEST PROVINCE"),
        (24, (48, 360), order_no),
        (44, (48, 440), f"NO {card.number}"),
    )
    width, height = _HEAD[2] - _HEAD[0], _HEAD[3] - _HEAD[1]
    face.paste(draw_portrait(order_no, size=(width, height)), _HEAD[:2])
    return face


def _draw_back(order_no: str) -> "Image":
    from PIL import ImageDraw  # noqa: PLC0415 - loading Pillow is slow

    card = id_card_for(order_no)
    side = _draw_blank(
        order_no,
        (44, (300, 60), "SANDBOX STATE"),
        (26, (300, 130), _SPECIMEN),
        (30, (48, 330), "AUTHORITY TEST POLICE"),
        (30, (48, 390), f"VALID {card.valid_from}-{card.valid_until}"),
        (24, (48, 460), order_no),
    )
    pen = ImageDraw.Draw(side)
    pen.ellipse((48, 48, 248, 248), fill=_DISC)
    turns = [math.pi * (0.8 * corner - 0.5) for corner in range(5)]
    star = [(148 + 84 * math.cos(turn), 148 + 84 * math.sin(turn)) for turn in turns]
    pen.line([*star, star[0]], fill=(240, 210, 90), width=8)
    return side


def _draw_blank(order_no: str, *lines: Line) -> "Image":
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - as above

    colour = shake_256(order_no.encode()).digest(12)[9:]
    side = Image.new("RGB", CARD_SIZE, tuple(200 + value % 50 for value in colour))
    pen = ImageDraw.Draw(side)
    for size, place, text in lines:
        pen.text(place, text, fill=_INK, font=ImageFont.load_default(size))
    return side
