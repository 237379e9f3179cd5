"""The synthetic cards and their photos."""

import io
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kycourier_devkit.sandbox import draw_photos
from kycourier_devkit.sandbox.cards import (
    TEST_NUMBERS,
    card_of,
    other_number,
    with_check_digit,
)

order_numbers = st.from_regex("[A-Za-z0-9]{1,32}", fullmatch=True)


@given(order_numbers)
def test_card_number_is_a_test_number_or_visibly_synthetic_and_passes_luhn(
    order_no: str,
) -> None:
    number = card_of(order_no).number

    assert number in TEST_NUMBERS or number.startswith("62258800000")
    assert with_check_digit(number[:-1]) == number


@given(order_numbers)
def test_other_number_differs_from_the_card_of_the_order(order_no: str) -> None:
    assert other_number(order_no) != card_of(order_no).number


def test_published_test_numbers_pass_luhn() -> None:
    assert [with_check_digit(number[:-1]) for number in TEST_NUMBERS] == list(
        TEST_NUMBERS
    )


@pytest.mark.parametrize("order_no", ["order1", "W" * 32, "late3x001"])
def test_photos_are_jpegs_of_the_expected_sizes(order_no: str) -> None:
    photos = draw_photos(order_no)

    for photo in (photos.original, photos.cropped, photos.number):
        with Image.open(io.BytesIO(photo)) as image:
            image.load()
            assert image.format == "JPEG"
    assert 50_000 < len(photos.original) < 200_000
    assert len(photos.number) < len(photos.cropped) < len(photos.original)


def test_photos_of_an_order_are_the_same_bytes_when_drawn_again() -> None:
    drawn = draw_photos("order1")
    draw_photos.cache_clear()

    assert draw_photos("order1") == drawn


def test_orders_have_photos_of_their_own() -> None:
    assert draw_photos("order1").original != draw_photos("order2").original


def test_pillow_is_not_loaded_before_a_photo_is_drawn() -> None:
    code = "import sys, kycourier_devkit.sandbox; sys.exit('PIL' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == 0
