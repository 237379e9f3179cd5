"""Bank card replies are parsed whatever their spelling, nesting and types."""

import base64
import json
from datetime import datetime

import pytest

from kycourier.core.causes import Cause
from kycourier.core.documents.bank_card import BankCard, PhotoKind
from kycourier.core.documents.bank_card_numbers import digits_of
from kycourier.core.documents.recognition import Recognition
from kycourier.core.errors import MalformedReplyError
from kycourier.core.redaction import ReplyBody
from kycourier.core.result_codes import load_codes
from kycourier.core.wire.lenient_fields import CHINA

parse_reply = BankCard().parse_reply
PHOTO = b"\xff\xd8\xff\xe0" + b" a synthetic photo" * 4
BASE64 = base64.b64encode(PHOTO).decode()
NUMBER = "4111111111111111"
# The sample of page 1007/35859, with a test card's number and photos.
RESULT = {
    "bizSeqNo": "21062120001184412617492807497465",
    "transactionTime": "20210621174928",
    "orderNo": "bankcardPic5923ab9a3bc34488b51",
    "bankCardNo": NUMBER,
    "bankCardValidDate": "12/2024",
    "originBankcardPhoto": BASE64,
    "bankcardCropPhoto": BASE64,
    "bankcardNoPhoto": BASE64,
    "warnCode": "0",
    "multiWarnCode": "0",
    "operateTime": "2021-06-21 17:40:06",
    "clarity": "79",
    "success": False,
}


def body_of(reply):
    return ReplyBody(json.dumps(reply, ensure_ascii=False).encode())


def parsed(changes=None, **top):
    reply = {"code": "0", "msg": "请求成功", "result": RESULT | (changes or {})}
    return parse_reply(body_of(reply | top))


def test_rejection_is_classified_by_the_documents_codes():
    assert parsed(code=-9011) == load_codes("bank_card").classify("-9011")


def test_missing_code_is_malformed():
    with pytest.raises(MalformedReplyError) as caught:
        parsed(code=None)
    assert (caught.value.cause, caught.value.field) == (Cause.REPLY_MALFORMED, "code")


class TestFields:
    def test_documented_sample_is_a_result_although_success_is_false(self):
        result = parsed(code=0)
        assert result.order_no == "bankcardPic5923ab9a3bc34488b51"
        assert result.fields.number.expose() == NUMBER
        assert result.fields.valid_until == "2024-12"
        assert result.fields.warnings == ()
        assert result.fields.clarity == 79
        assert result.recognized_at == datetime(2021, 6, 21, 17, 40, 6, tzinfo=CHINA)
        assert result.biz_seq_no == "21062120001184412617492807497465"
        assert result.transaction_time == "20210621174928"

    def test_flat_reply_is_equal_to_a_nested_one(self):
        assert parse_reply(body_of({"code": "0", **RESULT})) == parsed()

    def test_nested_field_has_precedence(self):
        assert parsed(bankCardNo="5555").fields.number.expose() == NUMBER

    def test_flat_field_replaces_an_empty_nested_one(self):
        assert parsed({"clarity": ""}, clarity="80").fields.clarity == 80

    @pytest.mark.parametrize(
        ("documented", "variant"),
        [
            ("bankCardNo", "bankcardNo"),
            ("originBankcardPhoto", "orginBankcardPhoto"),
            ("warnCode", "warningCode"),
            ("multiWarnCode", "multiWarningCode"),
        ],
    )
    def test_every_spelling_of_a_name_is_accepted(self, documented, variant):
        warned = RESULT | {"warnCode": "-9111", "multiWarnCode": "[-9110,-9112]"}
        renamed = {
            variant if name == documented else name: value
            for name, value in warned.items()
        }
        expected = parse_reply(body_of({"code": "0", "result": warned}))
        assert parse_reply(body_of({"code": "0", "result": renamed})) == expected

    @pytest.mark.parametrize(
        "changes",
        [
            {"warnCode": 0},
            {"bankCardNo": int(NUMBER)},
            {"bankcardNo": 4111111111111111.0},
            {"unknown": {"deep": [1, {"a": None}]}},
            {"success": "garbage"},
            {"originBankcardPhoto": "data:image/jpeg;base64," + BASE64},
            {"originBankcardPhoto": BASE64[:20] + "\r\n" + BASE64[20:]},
        ],
    )
    def test_other_types_and_unknown_fields_change_nothing(self, changes):
        assert parsed(changes) == parsed()

    @pytest.mark.parametrize(
        ("printed", "month", "text"),
        [("12/24", "2024-12", "12/24"), ("长期", None, "长期"), ("", None, None)],
    )
    def test_date_is_kept_as_printed_beside_its_month(self, printed, month, text):
        fields = parsed({"bankCardValidDate": printed}).fields
        assert (fields.valid_until, fields.valid_until_text) == (month, text)

    def test_warnings_of_all_fields_are_joined(self):
        changes = {"warnCode": "-9111", "multiWarnCode": "[-9110, -9111]"}
        assert parsed(changes).fields.warnings == ("-9111", "-9110")

    @pytest.mark.parametrize("text", ["", "2021-06-31 00:00:00", 5, None])
    def test_malformed_time_is_none(self, text):
        assert parsed({"operateTime": text}).recognized_at is None

    @pytest.mark.parametrize(
        ("identifier", "is_kept"),
        [
            *(("A1", True), ("z9", True), ("a" * 64, True)),
            *(("a-1", False), ("a\n", False), ("a" * 65, False), ("é", False)),
        ],
    )
    def test_identifier_is_up_to_64_letters_and_digits(self, identifier, is_kept):
        expected = identifier if is_kept else None
        assert parsed({"bizSeqNo": identifier}).biz_seq_no == expected

    @pytest.mark.parametrize(
        "name", ["orderNo", "bankCardNo", "operateTime", "bankcardCropPhoto"]
    )
    def test_one_recognized_field_is_a_result(self, name):
        reply = {"code": "0", "result": {name: RESULT[name]}}
        assert isinstance(parse_reply(body_of(reply)), Recognition)

    def test_success_without_a_result_is_malformed(self):
        with pytest.raises(MalformedReplyError) as caught:
            parse_reply(body_of({"code": "0", "msg": "ok", "result": {}}))
        assert caught.value.cause is Cause.REPLY_MALFORMED
        assert caught.value.field == "result"


class TestCardNumber:
    @pytest.mark.parametrize(
        ("number", "digits"),
        [(f" {NUMBER}\n", NUMBER), (f"{NUMBER[:8]}\r\n{NUMBER[8:]}", "")],
    )
    def test_only_white_space_around_a_number_is_dropped(self, number, digits):
        fields = parsed({"bankCardNo": number}).fields
        assert digits_of(fields.number).expose() == digits

    def test_number_among_the_warnings_is_dropped(self):
        assert parsed({"warnCode": NUMBER}).fields.warnings == ()

    @pytest.mark.parametrize(
        ("number", "is_kept"),
        [
            (NUMBER, False),
            ("1111-1111 1111", False),
            (f"{NUMBER}x", False),
            ("1", True),
        ],
    )
    def test_identifier_that_contains_the_number_is_dropped(self, number, is_kept):
        identifier = f"2110{NUMBER}2110"
        result = parsed({"bankCardNo": number, "bizSeqNo": identifier})
        assert result.biz_seq_no == (identifier if is_kept else None)


class TestPhotos:
    def test_all_photos_are_decoded(self):
        result = parsed()
        assert [photo.kind for photo in result.photos] == list(PhotoKind)
        assert all(photo.content.expose() == PHOTO for photo in result.photos)
        assert (result.photos_missing, result.is_incomplete) == ((), False)

    @pytest.mark.parametrize("empty", ["", None, "\n", "null", BASE64[:80]])
    def test_empty_original_makes_the_result_incomplete(self, empty):
        result = parsed({"originBankcardPhoto": empty})
        assert result.photos_missing == (PhotoKind.ORIGINAL,)
        assert result.is_incomplete

    @pytest.mark.parametrize(
        "photo", [5, [], "%%%", BASE64[:-1], BASE64[:8] + " " + BASE64[9:]]
    )
    def test_photo_that_is_not_base64_is_malformed_if_original_else_missing(
        self, photo
    ):
        with pytest.raises(MalformedReplyError) as caught:
            parsed({"originBankcardPhoto": photo})
        assert caught.value.cause is Cause.PHOTO_UNREADABLE
        assert caught.value.field == "original"
        result = parsed({"bankcardNoPhoto": photo})
        assert result.photos_missing == (PhotoKind.NUMBER,)
        assert not result.is_incomplete


def test_error_holds_no_card_number():
    with pytest.raises(MalformedReplyError) as caught:
        parsed({"originBankcardPhoto": NUMBER + "%"})
    assert NUMBER not in repr(caught.value)
    assert caught.value.__context__ is None


def test_identifier_may_contain_a_number_of_fewer_than_twelve_digits():
    result = parsed({"bankCardNo": RESULT["bizSeqNo"][:11]})
    assert result.biz_seq_no == RESULT["bizSeqNo"]
