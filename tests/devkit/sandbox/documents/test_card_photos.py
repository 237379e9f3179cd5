"""Photos of synthetic cards."""

import io
import subprocess
import sys

import pytest
from PIL import Image

from kycourier_devkit.sandbox import draw_photos


@pytest.mark.parametrize("order_no", ["order1", "W" * 32, "late3x001"])
def test_photos_are_jpegs_of_documented_sizes(order_no: str) -> None:
    photos = draw_photos(order_no)

    for photo in (photos.original, photos.cropped, photos.number):
        with Image.open(io.BytesIO(photo)) as image:
            image.load()
            assert image.format == "JPEG"
    assert 50_000 < len(photos.original) < 200_000
    assert len(photos.number) < len(photos.cropped) < len(photos.original)


def test_photos_of_an_order_are_identical_when_drawn_again() -> None:
    drawn = draw_photos("order1")
    draw_photos.cache_clear()

    assert draw_photos("order1") == drawn


def test_photos_differ_between_orders() -> None:
    assert draw_photos("order1").original != draw_photos("order2").original


def test_importing_the_sandbox_does_not_load_pillow() -> None:
    code = "import sys, kycourier_devkit.sandbox; sys.exit('PIL' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == 0
