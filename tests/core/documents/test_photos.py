"""Photos are strict Base64, with a media type by their first bytes."""

import base64
import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kycourier.core.documents.bank_card import PhotoKind
from kycourier.core.documents.photos import decode_photo, sniff_media_type
from kycourier.core.errors import MalformedReplyError


def decoded(text):
    photo = decode_photo(PhotoKind.ORIGINAL, text)
    return photo and photo.content.expose()


@given(st.binary(min_size=1))
@example(b"\xff\xd8\xff")
def test_text_or_view_is_decoded_with_digest_size_and_media_type(content):
    photo = decode_photo(PhotoKind.CROPPED, base64.b64encode(content).decode())
    assert photo.content.expose() == content
    assert photo.sha256 == hashlib.sha256(content).hexdigest()
    assert photo.size_bytes == len(content)
    assert photo.kind is PhotoKind.CROPPED
    assert photo.media_type == sniff_media_type(content)
    assert decoded(memoryview(base64.b64encode(content))) == content


@given(st.text(alphabet="ABCDwxyz0189+/=", max_size=24))
def test_only_canonical_base64_is_accepted(text):
    """The standard library is the reference: strict, and equal when encoded again."""
    try:
        content = base64.b64decode(text, validate=True)
        is_canonical = base64.b64encode(content).decode() == text
    except ValueError:
        is_canonical = False
    if is_canonical:
        assert decoded(text) == (content or None)
    else:
        with pytest.raises(MalformedReplyError):
            decoded(text)


@pytest.mark.parametrize(
    "text",
    ["QUJD\r\nREVG\r\n", "\tQUJD REVG", "data:image/jpeg;base64,QUJDREVG"],
)
def test_line_breaks_and_a_data_uri_prefix_are_tolerated(text):
    assert decoded(text) == b"ABCDEF"


@pytest.mark.parametrize(
    "text",
    ["QUJ", "QR==", "QQ==QQ==", "QU-_", "QUJDé", "\x00QUJD", "QUJ\ud800"],
    ids=ascii,
)
def test_malformed_base64_is_rejected_without_its_text(text):
    with pytest.raises(MalformedReplyError) as caught:
        decoded(text)
    assert caught.value.__context__ is None
    assert caught.value.reason == "photo is not Base64"


@pytest.mark.parametrize("text", ["", " \n", "data:image/png;base64,"])
def test_empty_field_is_no_photo(text):
    assert decoded(text) is None


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVE", "application/octet-stream"),
        (b"<svg onload=alert(1)>", "application/octet-stream"),
        (b"\xff\xd8", "application/octet-stream"),
    ],
)
def test_media_type_is_determined_by_the_first_bytes(content, media_type):
    assert sniff_media_type(content) == media_type
