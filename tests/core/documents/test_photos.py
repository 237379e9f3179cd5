"""Photos are strict Base64, with a media type by their first bytes."""

import base64
import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kycourier.core.causes import Cause
from kycourier.core.documents.photos import decode_photo, sniff_media_type
from kycourier.core.errors import MalformedReplyError


def decoded(text):
    photo = decode_photo("original", text)
    return photo and photo.content.expose()


CONTENT = b"A synthetic photo of more than 64 bytes. " * 2
TEXT = base64.b64encode(CONTENT).decode()
HEAD = "QUJD" * 22  # 66 bytes


@given(st.binary(min_size=64))
@example(b"\xff\xd8\xff" + bytes(61))
def test_text_or_view_is_decoded_with_digest_size_and_media_type(content):
    photo = decode_photo("cropped", base64.b64encode(content).decode())
    assert photo.content.expose() == content
    assert photo.sha256 == hashlib.sha256(content).hexdigest()
    assert photo.size_bytes == len(content)
    assert photo.kind == "cropped"
    assert photo.media_type == sniff_media_type(content)
    assert decoded(memoryview(base64.b64encode(content))) == content


@given(st.text(alphabet="ABCDwxyz0189+/=", max_size=24))
def test_only_canonical_base64_is_accepted(text):
    """The standard library is the reference: strict, and equal when encoded again."""
    text = HEAD + text
    try:
        content = base64.b64decode(text, validate=True)
        is_canonical = base64.b64encode(content).decode() == text
    except ValueError:
        is_canonical = False
    if is_canonical:
        assert decoded(text) == content
    else:
        with pytest.raises(MalformedReplyError):
            decoded(text)


@pytest.mark.parametrize(
    "text",
    [f"{TEXT[:8]}\r\n{TEXT[8:]}\r\n", f"data:image/jpeg;base64,{TEXT}"],
    ids=["line breaks", "data URI"],
)
def test_line_breaks_and_a_data_uri_prefix_are_tolerated(text):
    assert decoded(text) == CONTENT


@pytest.mark.parametrize("blank", [" ", "\t", "\v", "\u00a0"], ids=ascii)
@pytest.mark.parametrize("at", [0, 8, len(TEXT)])
def test_blank_is_rejected_as_it_may_have_been_a_plus(blank, at):
    text = TEXT[:at] + blank + TEXT[at:]
    for form in (text, memoryview(text.encode("latin-1"))):
        with pytest.raises(MalformedReplyError):
            decoded(form)


@pytest.mark.parametrize(
    "text",
    ["QUJ", "QR==", "QQ==QQ==", "QU-_", "QUJDé", "\x00QUJD", "QUJ\ud800", 5, [], True],
    ids=ascii,
)
def test_malformed_base64_is_rejected_without_its_text(text):
    with pytest.raises(MalformedReplyError) as caught:
        decoded(text)
    assert caught.value.__context__ is None
    assert caught.value.cause is Cause.PHOTO_UNREADABLE
    assert caught.value.field == "original"


@pytest.mark.parametrize(
    "text",
    [None, "", "\r\n", "data:image/png;base64,", "null", "None", HEAD[:84]],
    ids=ascii,
)
def test_field_of_fewer_than_64_bytes_is_no_photo(text):
    assert decoded(text) is None


def test_unknown_image_format_is_kept():
    assert decode_photo("original", TEXT).media_type == "application/octet-stream"


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
