"""Requests and replies: every spelling, nesting and drift of the pages."""

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.card import digits_of
from kycourier.core.errors import MalformedReply
from kycourier.core.hidden import ReplyBody, Secret
from kycourier.core.models import OrderKey, PhotoKind, Recognition
from kycourier.core.signing import sign
from kycourier.core.wire import (
    Profile,
    Refusal,
    build_result_request,
    build_ticket_request,
    build_token_request,
    parse_result_reply,
    parse_ticket_reply,
    parse_token_reply,
)

PHOTO = b"\xff\xd8\xff\xe0 a synthetic photo"
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


def body(value):
    return ReplyBody(json.dumps(value, ensure_ascii=False).encode())


def parsed(changes=None, **top):
    reply = {"code": "0", "msg": "请求成功", "result": RESULT | (changes or {})}
    return parse_result_reply(body(reply | top))


class TestRequests:
    def test_profiles_spell_the_app_id_their_own_way(self):
        for profile, name, host in [
            (Profile.MINIPROGRAM, "app_id", "miniprogram-kyc.tencentcloudapi.com"),
            (Profile.KYC1, "appId", "kyc1.qcloud.com"),
        ]:
            token = dict(build_token_request(profile, "A", Secret("s")).query.reveal())
            ticket = dict(
                build_ticket_request(profile, "A", Secret("t")).query.reveal()
            )
            assert profile.url == f"https://{host}"
            assert token == {
                name: "A",
                "secret": "s",
                "grant_type": "client_credential",
                "version": "1.0.0",
            }
            assert ticket == {
                name: "A",
                "access_token": "t",
                "type": "SIGN",
                "version": "1.0.0",
            }

    def test_the_query_is_signed_without_get_file(self):
        nonce = "kHoSxvLZGxSoFsjxlbzEoUzh5PAnTU7T"
        ticket = "FxlAe3HFtEy73Um0pJNzIUriwtfnS3KRcPXiesd5ulS4XRAIcT0FbfaP52dwZf5S"
        request = build_result_request(
            OrderKey("appId001", "aabc1457895464"), ticket=Secret(ticket), nonce=nonce
        )
        assert request.path == "/api/server/getBankCardOcrResult"
        assert dict(request.query.reveal()) == {
            "app_id": "appId001",
            "order_no": "aabc1457895464",
            "get_file": "1",
            "nonce": nonce,
            "version": "1.0.0",
            "sign": "993D057C652D97FD90D5D298F2E5DC4B8D893CBC",  # vector V1
        }
        assert sign(["get_file"]) is not None


class TestTokenAndTicket:
    @pytest.mark.parametrize(
        ("expire_in", "seconds"),
        [
            (7200, 7200),
            ("7200", 7200),
            ("3600", 3600),
            (10**12, 7200),
            ("9" * 18, 7200),
        ],
    )
    def test_a_life_is_an_int_or_its_text_and_clamped(self, expire_in, seconds):
        reply = {"code": "0", "access_token": "T", "expire_in": expire_in}
        bought = parse_token_reply(body(reply))
        assert bought.value.reveal() == "T"
        assert bought.lives == timedelta(seconds=seconds)

    @pytest.mark.parametrize(
        "expire_in", ["", 0, "0", -1, "-1", "3600s", None, True, 1.5, [], "٣٦٠٠", 1e12]
    )
    def test_an_odd_life_is_refused(self, expire_in):
        reply = {"code": "0", "access_token": "T", "expire_in": expire_in}
        with pytest.raises(MalformedReply):
            parse_token_reply(body(reply))

    def test_expire_time_is_never_read(self):
        reply = {
            "code": 0,
            "access_token": "T",
            "expire_in": "60",
            "expire_time": "20991231000000",
        }
        assert parse_token_reply(body(reply)).lives == timedelta(seconds=60)

    @pytest.mark.parametrize("token", ["", None, 5, [], "a\nb", "é"])
    def test_a_token_is_printable_text(self, token):
        reply = {"code": "0", "access_token": token, "expire_in": 60}
        with pytest.raises(MalformedReply):
            parse_token_reply(body(reply))

    def test_one_ticket_is_read(self):
        entry = {"value": "S", "expire_in": "3600", "expire_time": "x"}
        bought = parse_ticket_reply(body({"code": "0", "tickets": [entry]}))
        assert bought.value.reveal() == "S"
        assert bought.lives == timedelta(hours=1)

    @pytest.mark.parametrize(
        "tickets", [[], [{"value": "S", "expire_in": 1}] * 2, None, {}, ["S"], [None]]
    )
    def test_anything_but_one_ticket_is_refused(self, tickets):
        with pytest.raises(MalformedReply):
            parse_ticket_reply(body({"code": "0", "tickets": tickets}))

    @pytest.mark.parametrize("parse", [parse_token_reply, parse_ticket_reply])
    def test_a_refusal_carries_its_code(self, parse):
        assert parse(body({"code": "400504", "msg": "x"})) == Refusal("400504")


class TestCode:
    @pytest.mark.parametrize("code", ["0", 0])
    def test_int_zero_and_text_zero_alone_are_success(self, code):
        assert isinstance(parsed(code=code), Recognition)

    @pytest.mark.parametrize(
        "code",
        [" 0", "0 ", "00", 0.0, False, "٠", "0\n", [0], {}, "OK", "1" * 40, -0.0],
    )
    def test_anything_like_zero_is_not(self, code):
        assert isinstance(parsed(code=code), Refusal)

    @pytest.mark.parametrize(
        ("code", "text"), [(66660011, "66660011"), (-9011, "-9011")]
    )
    def test_codes_come_as_ints_too(self, code, text):
        assert parsed(code=code) == Refusal(text)

    def test_none_is_malformed(self):
        with pytest.raises(MalformedReply):
            parsed(code=None)


class TestResult:
    def test_the_pages_sample_is_a_result_though_success_is_false(self):
        result = parsed()
        assert result.order_no == "bankcardPic5923ab9a3bc34488b51"
        assert result.card_number.reveal() == NUMBER
        assert result.valid_until == "2024-12"
        assert result.warnings == ()
        assert result.clarity == 79
        assert result.recognized_at.isoformat() == "2021-06-21T17:40:06+08:00"
        assert result.biz_seq_no == "21062120001184412617492807497465"
        assert result.transaction_time == "20210621174928"
        assert [photo.kind for photo in result.photos] == list(PhotoKind)
        assert all(photo.content.reveal() == PHOTO for photo in result.photos)
        assert result.missing() == ()

    def test_a_flat_reply_says_the_same(self):
        assert parse_result_reply(body({"code": "0", **RESULT})) == parsed()

    def test_the_nested_field_counts_before_the_flat_one(self):
        assert parsed(bankCardNo="5555").card_number.reveal() == NUMBER

    @pytest.mark.parametrize("number", [f"{NUMBER}\n", f"{NUMBER[:8]}\r\n{NUMBER[8:]}"])
    def test_a_number_with_line_breaks_is_not_lost(self, number):
        assert digits_of(parsed({"bankCardNo": number}).card_number).reveal() == NUMBER

    def test_an_empty_nested_field_gives_way_to_the_flat_one(self):
        assert parsed({"clarity": ""}, clarity="80").clarity == 80

    @pytest.mark.parametrize(
        ("theirs", "drifted"),
        [
            ("bankCardNo", "bankcardNo"),
            ("originBankcardPhoto", "orginBankcardPhoto"),
            ("warnCode", "warningCode"),
            ("multiWarnCode", "multiWarningCode"),
        ],
    )
    def test_every_spelling_is_read(self, theirs, drifted):
        warned = RESULT | {"warnCode": "-9110", "multiWarnCode": "[-9110,-9112]"}
        renamed = {drifted if name == theirs else name: warned[name] for name in warned}
        plain = parse_result_reply(body({"code": "0", "result": warned}))
        assert parse_result_reply(body({"code": "0", "result": renamed})) == plain

    @pytest.mark.parametrize(
        "changes",
        [
            {"clarity": 79},
            {"warnCode": 0},
            {"bankCardNo": int(NUMBER)},
            {"bankcardNo": 4111111111111111.0},
            {"unknown": {"deep": [1, {"a": None}]}},
            {"success": True},
            {"success": "garbage"},
            {"originBankcardPhoto": "data:image/jpeg;base64," + BASE64},
            {"originBankcardPhoto": BASE64[:20] + "\r\n" + BASE64[20:]},
        ],
    )
    def test_type_drift_and_unknown_fields_change_nothing(self, changes):
        assert parsed(changes) == parsed()

    @pytest.mark.parametrize(
        ("one", "many", "expected"),
        [
            ("-9110", "0", ("-9110",)),
            ("0", "[-9110,-9111]", ("-9110", "-9111")),
            ("-9111", "[-9110, -9111]", ("-9111", "-9110")),
            ("", "-9110", ("-9110",)),
            ("0", "[-9110,-777", ("-9110", "-777")),
            ("0", ["-9110", -9114], ("-9110", "-9114")),
            ("66661009", None, ("66661009",)),
            ("none", "[x]", ()),
            ({}, 1.5, ()),
        ],
    )
    def test_warnings_one_list_unknown_broken(self, one, many, expected):
        changes = {"warnCode": one, "multiWarnCode": many}
        assert parsed(changes).warnings == expected

    def test_a_card_number_among_the_warnings_is_not_passed_on(self):
        assert parsed({"warnCode": NUMBER}).warnings == ()

    @pytest.mark.parametrize(
        ("number", "is_shown"),
        [(NUMBER, False), ("1111-1111 1111", False), ("1", True)],
    )
    def test_a_card_number_inside_a_mark_is_not_passed_on(self, number, is_shown):
        mark = f"2110{NUMBER}2110"
        result = parsed({"bankCardNo": number, "bizSeqNo": mark})
        assert result.biz_seq_no == (mark if is_shown else None)

    @pytest.mark.parametrize("text", ["", "2021-06-31 00:00:00", "yesterday", 5, None])
    def test_an_odd_time_is_none(self, text):
        assert parsed({"operateTime": text}).recognized_at is None

    @pytest.mark.parametrize(
        ("text", "value"),
        [("79.5", 79.5), (79.5, 79.5), ("abc", None), ([], None), (1e300, None)],
    )
    def test_clarity(self, text, value):
        assert parsed({"clarity": text}).clarity == value

    @pytest.mark.parametrize("empty", ["", None, "  \n"])
    def test_an_empty_photo_is_missing(self, empty):
        result = parsed({"originBankcardPhoto": empty})
        assert result.missing() == (PhotoKind.ORIGINAL,)

    @pytest.mark.parametrize("photo", [5, [], {"a": 1}, "%%%", BASE64[:-1], "é"])
    def test_an_original_that_is_not_base64_makes_the_reply_malformed(self, photo):
        with pytest.raises(MalformedReply):
            parsed({"originBankcardPhoto": photo})

    @pytest.mark.parametrize("photo", [5, [], "%%%", BASE64[:-1]])
    def test_a_crop_that_is_not_base64_is_missing(self, photo):
        result = parsed({"bankcardNoPhoto": photo})
        assert result.missing() == (PhotoKind.NUMBER,)

    def test_success_without_any_result_is_malformed(self):
        with pytest.raises(MalformedReply):
            parse_result_reply(body({"code": "0", "msg": "ok", "result": {}}))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"null", b'"0"', b"<html>", b'{"code":"0"']
)
def test_what_is_not_an_object_is_malformed(text):
    with pytest.raises(MalformedReply) as caught:
        parse_result_reply(ReplyBody(text))
    assert NUMBER not in str(caught.value)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*RESULT, "code", "result"]), values))
def test_any_field_of_any_type_is_read_or_is_malformed(changes):
    """No other exception, and nothing with another code than zero is a result."""
    reply = {"code": "0", "result": RESULT | changes, **changes}
    try:
        answer = parse_result_reply(ReplyBody(json.dumps(reply).encode()))
    except MalformedReply:
        return
    is_zero = reply["code"] == "0" or (
        reply["code"] == 0 and isinstance(reply["code"], int) is True
    )
    assert isinstance(answer, Recognition) == (is_zero and reply["code"] is not False)


def test_a_reply_cut_anywhere_is_malformed():
    text = json.dumps({"code": "0", "result": RESULT | {"originBankcardPhoto": ""}})
    for end in range(len(text)):
        with pytest.raises(MalformedReply):
            parse_result_reply(ReplyBody(text[:end].encode()))


@given(st.binary())
def test_random_bytes_are_malformed(text):
    with pytest.raises(MalformedReply):
        parse_result_reply(ReplyBody(text))
