"""JSON is parsed strictly; long strings become views of the text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bad_input.strategies import NO_JSON
from kycourier.core.strict_json import (
    MalformedJsonError,
    parse_json,
    parse_json_with_views,
)

MALFORMED = {
    "empty": b"",
    "nested duplicate": b'{"result":{"a":1,"a":2}}',
    "a hundred and one digits": b'{"a":' + b"9" * 101 + b"}",
    "nested too deeply": b"[" * 200_000,
    "html": b"<html><body>502</body></html>",
    **{name: text for name, text in NO_JSON.items() if name != "null"},
}
TOLERATED = {"byte order mark", "gbk", "no utf-8"}  # in the platform's replies


@pytest.mark.parametrize("parse", [parse_json, parse_json_with_views])
@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_json_raises_one_error_without_its_text(parse, name):
    if parse is parse_json_with_views and name in TOLERATED:
        assert isinstance(parse(MALFORMED[name]), dict)
        return
    with pytest.raises(MalformedJsonError) as caught:
        parse(MALFORMED[name])
    assert caught.value.__context__ is None
    assert str(caught.value) == "malformed_json"


LONG = b'"' + b"A" * 2000 + b'"'


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
@pytest.mark.parametrize("photo", [b'"short"', LONG], ids=["text", "view"])
@pytest.mark.parametrize("message", ["请求成功".encode("gbk"), b"\xff\xfe", b"ok"])
def test_unreadable_message_of_a_reply_does_not_hide_its_code(before, photo, message):
    text = b'%s{"msg":"%s","photo":%s,"code":"0"}' % (before, message, photo)
    assert parse_json_with_views(text)["code"] == "0"


@pytest.mark.parametrize("same", [b"1", b'"a"', b"null", b'{"b":[1]}', LONG])
def test_key_repeated_with_the_same_value_is_tolerated_in_replies(same):
    once, twice = b'{"a":%s}' % same, b'{"a":%s,"a":%s}' % (same, same)
    assert parse_json_with_views(twice) == parse_json_with_views(once)
    with pytest.raises(MalformedJsonError):
        parse_json(twice)


@pytest.mark.parametrize("other", [b"2", b"1.0", b"true", b'"1"', b"null", LONG])
def test_key_repeated_with_another_value_is_malformed(other):
    with pytest.raises(MalformedJsonError):
        parse_json_with_views(b'{"a":1,"a":%s}' % other)


def without_views(value):
    """Return a value with its views decoded to strings."""
    if isinstance(value, memoryview):
        return json.loads(b'"' + value + b'"')
    if isinstance(value, dict):
        return {name: without_views(member) for name, member in value.items()}
    return [without_views(part) for part in value] if isinstance(value, list) else value


long_text = st.builds(
    lambda unit, times: unit * times,
    st.sampled_from(["QUJD", "a@", "@0", "/+=", "x\\", '"', "é", "\n"]),
    st.integers(200, 2000),
)
scalars = st.none() | st.booleans() | st.integers() | st.text() | long_text
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.just("@0"), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=4), trees, max_size=5)


@given(objects, st.sampled_from([None, 1]), st.booleans())
def test_both_parsers_return_equal_values(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode(
        errors="surrogatepass"
    )
    try:
        expected = parse_json(text)
    except MalformedJsonError:
        return
    assert without_views(parse_json_with_views(text)) == expected == value


@given(objects, st.data())
def test_truncated_text_is_malformed(value, data):
    text = json.dumps(value).encode()
    truncated = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(MalformedJsonError):
        parse_json_with_views(truncated)


def test_photo_is_a_view_of_the_text():
    photo = b"QUJD" * 1000
    text = b'{"a":"' + photo + b'","b":1}'
    parsed = parse_json_with_views(text)
    assert parsed["a"].obj is text
    assert bytes(parsed["a"]) == photo


@pytest.mark.parametrize(
    "text",
    [
        b"[" + b"{}," * 60_000 + b"{}]",
        b"[" * 400 + b"[]," * 60_000 + b"[]" + b"]" * 400,
        b"{" + b",".join(b'"k%d":{}' % n for n in range(60_000)) + b"}",
    ],
    ids=["objects", "lists", "members"],
)
def test_text_with_too_many_members_is_malformed(text):
    with pytest.raises(MalformedJsonError):
        parse_json_with_views(text)


def test_text_that_looks_like_a_marker_is_unchanged():
    long = "A" * 2000
    forged = '{"a":"@0","b":"\\u00400","c":"%s"}' % long  # noqa: UP031 - braces
    assert without_views(parse_json_with_views(forged.encode())) == {
        "a": "@0",
        "b": "@0",
        "c": long,
    }
