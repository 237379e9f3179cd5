"""Strict Base64 and media types."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.errors import MalformedReply
from kycourier.core.models import PhotoKind
from kycourier.core.photos import build_key, decode_photo, sniff_media_type


def decoded(text):
    photo = decode_photo(PhotoKind.ORIGINAL, text)
    return photo and photo.content.reveal()


@given(st.binary(min_size=1))
def test_what_was_encoded_comes_back_with_its_digest(content):
    photo = decode_photo(PhotoKind.CROPPED, base64.b64encode(content).decode())
    assert photo.content.reveal() == content
    assert photo.sha256 == hashlib.sha256(content).hexdigest()
    assert photo.size_bytes == len(content)
    assert photo.kind is PhotoKind.CROPPED


def test_a_photo_carries_its_media_type():
    photo = decode_photo(PhotoKind.NUMBER, base64.b64encode(b"\xff\xd8\xff").decode())
    assert photo.media_type == "image/jpeg"


@given(st.binary(min_size=1))
def test_a_view_is_decoded_like_text(content):
    assert decoded(memoryview(base64.b64encode(content))) == content


@given(st.text(alphabet="ABCDwxyz0189+/=", max_size=24))
def test_only_the_canonical_spelling_is_taken(text):
    """The standard library is the judge: strict, and spelled the one way back."""
    try:
        content = base64.b64decode(text, validate=True)
        is_canonical = base64.b64encode(content).decode() == text
    except ValueError:
        is_canonical = False
    if is_canonical:
        assert decoded(text) == (content or None)
    else:
        with pytest.raises(MalformedReply):
            decoded(text)


@pytest.mark.parametrize(
    "text",
    [
        "QUJD\nREVG",
        "QUJD\r\nREVG\r\n",
        "\tQUJD REVG",
        "data:image/jpeg;base64,QUJDREVG",
    ],
)
def test_line_breaks_and_a_data_uri_prefix_are_tolerated(text):
    assert decoded(text) == b"ABCDEF"


@pytest.mark.parametrize(
    "text",
    [
        "QUJ",
        "QUI==",
        "QR==",
        "QUJ=",
        "QQ==QQ==",
        "QU-_",
        "QU*D",
        "QUJDé",
        "\x00QUJD",
        "QUJ\ud800",
    ],
    ids=ascii,
)
def test_junk_is_refused(text):
    with pytest.raises(MalformedReply) as caught:
        decoded(text)
    assert caught.value.__context__ is None
    assert caught.value.reason == "photo is not Base64"


@pytest.mark.parametrize("text", ["", " \n", "data:image/png;base64,"])
def test_nothing_is_no_photo(text):
    assert decoded(text) is None


@pytest.mark.parametrize(
    ("content", "media_type", "extension"),
    [
        (b"\xff\xd8\xff\xe0rest", "image/jpeg", "jpg"),
        (b"\x89PNG\r\n\x1a\nrest", "image/png", "png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp", "webp"),
        (b"RIFF\x00\x00\x00\x00WAVE", "application/octet-stream", "bin"),
        (b"<svg onload=alert(1)>", "application/octet-stream", "bin"),
        (b"\xff\xd8", "application/octet-stream", "bin"),
    ],
)
def test_media_type_is_by_the_first_bytes(content, media_type, extension):
    assert sniff_media_type(content) == media_type
    key = build_key("A/2026", "original", sha256="ab" * 32, media_type=media_type)
    assert key == f"A/2026/original-abababababababab.{extension}"


def test_a_manifest_is_named_as_json():
    key = build_key("A", "manifest", sha256="0" * 64, media_type="application/json")
    assert key == "A/manifest-0000000000000000.json"
