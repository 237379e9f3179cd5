"""Fields are read whatever their type and spelling; unreadable ones are no value."""

from datetime import datetime, timedelta

import pytest

from kycourier.core.causes import Cause
from kycourier.core.errors import MalformedReplyError
from kycourier.core.redaction import ReplyBody
from kycourier.core.wire.lenient_fields import (
    CHINA,
    Fields,
    parse_china_time,
    parse_code,
    parse_lifetime,
    parse_number,
    parse_object,
    parse_secret,
    parse_warnings,
    to_text,
)

TWO_HOURS = timedelta(hours=2)


class TestObject:
    @pytest.mark.parametrize(
        "text", [b"", b"[]", b"null", b'"0"', b"<html>", b'{"code":"0"']
    )
    def test_text_that_is_no_object_is_malformed(self, text):
        with pytest.raises(MalformedReplyError) as caught:
            parse_object(ReplyBody(text))
        assert caught.value.cause is Cause.REPLY_NOT_JSON

    def test_long_string_is_a_view_of_the_body(self):
        body = b'{"photo":"' + b"QUJD" * 1000 + b'"}'
        assert parse_object(ReplyBody(body))["photo"].obj is body


class TestLookup:
    def test_first_object_and_first_name_have_precedence(self):
        fields = Fields({"b": "nested"}, {"a": "flat a", "b": "flat b"})
        assert fields.first("a", "b") == "nested"
        assert fields.first("a") == "flat a"

    @pytest.mark.parametrize("empty", [None, ""])
    def test_empty_value_is_skipped(self, empty):
        assert Fields({"a": empty, "b": 0}, {"a": "flat"}).first("a", "b") == 0
        assert Fields({"a": empty}, {"a": "flat"}).text("a") == "flat"
        assert Fields({"a": empty}).first("a") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (5, "5"),
        (memoryview(b"QUJD"), "QUJD"),
        *((True, ""), (1.5, ""), (None, ""), ([], ""), ({}, "")),
        ("a" * 2000, "a" * 1024),
        (memoryview(b"a" * 2000), "a" * 1024),
    ],
    ids=lambda value: repr(value)[:10],
)
def test_text_and_whole_numbers_become_text_of_at_most_1024_characters(value, text):
    assert to_text(value) == text


class TestCode:
    @pytest.mark.parametrize("value", ["0", 0, 66660011, -9011, "-9011"])
    def test_code_may_be_an_int_or_its_text(self, value):
        assert parse_code(value) == str(value)

    @pytest.mark.parametrize(
        "value", [" 0", "0 ", 0.0, -0.0, False, "٠", "0\n", [0], {}, "OK", "1" * 40]
    )
    def test_code_of_another_shape_is_unreadable(self, value):
        assert parse_code(value) == "unreadable"

    def test_missing_code_is_malformed(self):
        with pytest.raises(MalformedReplyError) as caught:
            parse_code(None)
        assert (caught.value.cause, caught.value.field) == (
            Cause.REPLY_MALFORMED,
            "code",
        )


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (["-9110", "0"], ("-9110",)),
        (["0", "[-9110,-9111]"], ("-9110", "-9111")),
        (["-9111", "[-9110, -9111]"], ("-9111", "-9110")),
        (["", "-9110"], ("-9110",)),
        (["0", "[-9110,-777"], ("-9110", "-777")),
        (["0", ["-9110", -9114]], ("-9110", "-9114")),
        (["66661009", None], ("66661009",)),
        ([0, "none", "[x]", {}, 1.5], ()),
        (["4111111111111111"], ()),
        (["-9110," * 300], ()),
        ([[*range(1, 100)]], tuple(map(str, range(1, 33)))),
    ],
    ids=lambda value: repr(value)[:32],
)
def test_warnings_are_collected_once_each_in_order(values, codes):
    assert parse_warnings(values) == codes


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *(("79", 79), (79, 79), ("79.5", 79.5), (79.5, 79.5)),
        *(("abc", None), ([], None), (1e300, None), (None, None), ("-1", None)),
        *(("1000", None), (True, None)),
    ],
)
def test_small_number_may_be_text(value, number):
    assert parse_number(value) == number


def test_time_is_in_utc_plus_eight():
    parsed = parse_china_time("2021-06-21 17:40:06")
    assert parsed == datetime(2021, 6, 21, 17, 40, 6, tzinfo=CHINA)
    assert parsed.utcoffset() == timedelta(hours=8)


@pytest.mark.parametrize(
    "text",
    ["", "2021-06-31 00:00:00", "yesterday", "2021-06-21T17:40:06", "2021-06-21"],
)
def test_malformed_time_is_none(text):
    assert parse_china_time(text) is None


@pytest.mark.parametrize("value", ["T", "a b", "~" * 1024])
def test_secret_is_printable_ascii(value):
    assert parse_secret(value, field="token").expose() == value


@pytest.mark.parametrize("value", ["", None, 5, [], "a\nb", "é", "~" * 1025], ids=ascii)
def test_malformed_secret_is_rejected(value):
    with pytest.raises(MalformedReplyError) as caught:
        parse_secret(value, field="token")
    assert (caught.value.cause, caught.value.field) == (Cause.REPLY_MALFORMED, "token")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(7200, 7200), ("7200", 7200), ("3600", 3600), (10**12, 7200), ("9" * 18, 7200)],
)
def test_lifetime_may_be_an_int_or_its_text_and_is_capped(value, seconds):
    assert parse_lifetime(value, cap=TWO_HOURS) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", ["", 0, "0", -1, "-1", "3600s", None, True, 1.5, [], "٣٦٠٠", 1e12]
)
def test_lifetime_that_is_no_positive_whole_number_is_malformed(value):
    with pytest.raises(MalformedReplyError) as caught:
        parse_lifetime(value, cap=TWO_HOURS)
    assert caught.value.field == "lifetime"
