"""Synthetic card data and photos of it."""

import io
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kycourier_devkit.sandbox import draw_photos
from kycourier_devkit.sandbox.documents.bank_card import (
    TEST_NUMBERS,
    card_for,
    other_card_number,
    with_check_digit,
)


@given(st.from_regex("[A-Za-z0-9]{1,32}", fullmatch=True))
def test_card_number_is_synthetic_and_passes_luhn(order_no: str) -> None:
    number = card_for(order_no).number

    assert number in TEST_NUMBERS or number.startswith("62258800000")
    assert with_check_digit(number[:-1]) == number
    assert other_card_number(order_no) != number


@pytest.mark.parametrize("order_no", ["order1", "W" * 32, "late3x001"])
def test_photos_are_jpegs_of_documented_sizes(order_no: str) -> None:
    photos = draw_photos(order_no)

    for photo in (photos.original, photos.cropped, photos.number):
        with Image.open(io.BytesIO(photo)) as image:
            image.load()
            assert image.format == "JPEG"
    assert 50_000 < len(photos.original) < 200_000
    assert len(photos.number) < len(photos.cropped) < len(photos.original)


def test_photos_differ_between_orders_and_not_between_drawings() -> None:
    drawn = draw_photos("order1")
    draw_photos.cache_clear()

    assert draw_photos("order1") == drawn
    assert draw_photos("order2").original != drawn.original


def test_importing_the_sandbox_does_not_load_pillow() -> None:
    code = "import sys, kycourier_devkit.sandbox; sys.exit('PIL' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == 0
