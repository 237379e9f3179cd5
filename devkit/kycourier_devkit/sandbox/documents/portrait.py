"""Draws faces of shapes: visibly no person."""

from hashlib import shake_256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_HAIR = ((40, 30, 25), (90, 60, 30), (20, 20, 20), (120, 120, 120))
_SKIN = ((240, 205, 170), (225, 185, 150), (205, 160, 125))
_BLACK = (20, 20, 20)


def draw_portrait(
    seed: str, *, size: tuple[int, int], mouth_open: float = 0, eyes_open: float = 1
) -> "Image":
    """Draws a face of ellipses, the same one for the same seed.

    Args:
        seed: Selects the colours.
        size: Width and height in pixels.
        mouth_open: 0 (closed) to 1.
        eyes_open: 0 (closed) to 1.
    """
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - loading Pillow is slow

    digest = shake_256(f"face {seed}".encode()).digest(8)
    width, height = size
    image = Image.new("RGB", size, tuple(150 + value % 90 for value in digest[:3]))
    pen = ImageDraw.Draw(image)

    def ellipse(x: float, y: float, w: float, h: float, fill: tuple[int, ...]) -> None:
        left, top = (x - w / 2) * width, (y - h / 2) * height
        pen.ellipse((left, top, left + w * width, top + h * height), fill=fill)

    shirt = tuple(40 + value % 120 for value in digest[3:6])
    ellipse(0.5, 1.05, 1.0, 0.5, shirt)
    ellipse(0.5, 0.4, 0.64, 0.66, _HAIR[digest[6] % len(_HAIR)])
    ellipse(0.5, 0.47, 0.54, 0.6, _SKIN[digest[7] % len(_SKIN)])
    for x in (0.38, 0.62):
        ellipse(x, 0.42, 0.1, 0.012 + 0.05 * eyes_open, (250, 250, 250))
        ellipse(x, 0.42, 0.035, 0.012 + 0.035 * eyes_open, _BLACK)
    ellipse(0.5, 0.53, 0.05, 0.07, (190, 140, 110))
    ellipse(0.5, 0.65, 0.2, 0.015 + 0.08 * mouth_open, (160, 50, 50))
    font = ImageFont.load_default(max(10, width // 16))
    pen.text((width * 0.04, height * 0.93), "SPECIMEN", fill=(250, 250, 250), font=font)
    return image
