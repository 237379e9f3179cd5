"""The ID card: sides, masked and sealed values, photos; as documented in 1007/35864."""

import json
from datetime import datetime

import pytest

from kycourier.core.causes import Cause
from kycourier.core.documents.id_card import IdCard
from kycourier.core.documents.id_card_numbers import (
    PersonName,
    is_id_number_valid,
    mask_id_number,
    mask_name,
    parse_id_number,
)
from kycourier.core.documents.recognition import Recognition
from kycourier.core.errors import MalformedReplyError
from kycourier.core.fingerprints import FingerprintKey, fingerprint
from kycourier.core.redaction import ReplyBody, Secret
from kycourier.core.result_codes import CodeClass, Rejected
from kycourier.core.wire.lenient_fields import CHINA
from support.leaks.canaries import (
    ADDRESS,
    FINGERPRINT_KEY,
    ID_NUMBER,
    OLD_ID_NUMBER,
    PERSON,
)
from support.rigs.document_replies import BACK, FRONT, id_card_members

KEY = FingerprintKey("v1", Secret(FINGERPRINT_KEY))
ORDER = "idcard1"
NUMBER_WITH_X = "00000019900101019X"
NO_FRONT = dict.fromkeys(FRONT)
NO_BACK = dict.fromkeys(BACK)


def parse(sides="both", top=None, **changes):
    reply = {"code": "0", "result": id_card_members(ORDER, **changes)} | (top or {})
    body = ReplyBody(json.dumps(reply).encode())
    return IdCard().parse_reply(body, {"id_card_sides": sides})


def card(**changes):
    return IdCard().mask(parse("any", **changes), KEY)["id_card"]


def test_query_is_that_of_the_documentation():
    request = IdCard().build_request(
        app_id="SANDBOX1", order_no=ORDER, ticket=Secret("t" * 64), nonce="n" * 32
    )
    query = dict(request.query.expose())

    assert (request.path, request.body) == ("/api/server/getOcrResult", None)
    assert len(query.pop("sign")) == 40
    assert query == {
        "app_id": "SANDBOX1",
        "order_no": ORDER,
        "get_file": "1",
        "get_native": "1",
        "nonce": "n" * 32,
        "version": "1.0.0",
    }


def test_documented_sample_is_masked():
    parsed = parse()

    assert isinstance(parsed, Recognition)
    assert parsed.order_no == ORDER
    assert parsed.recognized_at == datetime(2024, 6, 17, 17, 8, 3, tzinfo=CHINA)
    assert parsed.biz_seq_no == "24061720001184410000000000000001"
    assert parsed.transaction_time == "20240617170810"
    assert IdCard().mask(parsed, KEY) == {
        "id_card": {
            "sides": ["front", "back"],
            "name_masked": "试*****",
            "number_masked": "000*************14",
            "number_fingerprint": fingerprint(ID_NUMBER, KEY),
            "number_valid": True,
            "birth_year": 1990,
            "sex": "female",
            "valid_from": "2016-07-25",
            "valid_until": "2036-07-25",
            "valid_long_term": False,
            "expired": False,
            "warnings": [
                {"side": "back", "code": None, "name": "border_incomplete"},
                {"side": "back", "code": None, "name": "rephotographed"},
                {"side": "back", "code": None, "name": "covered"},
            ],
            "warning_masks": {"front": "00000000", "back": "10010100"},
            "clarity": {"front": 64, "back": 72},
        },
        "recognized_at": "2024-06-17T17:08:03+08:00",
    }


def test_everything_recognized_is_sealed():
    assert IdCard().reveal(parse(nativePlace="虚构省")) == {
        "id_card": {
            "name": PERSON,
            "sex": "女",
            "nation": "汉",
            "birth": "19900307",
            "address": ADDRESS,
            "number": ID_NUMBER,
            "native_place": "虚构省",
            "authority": "样例市公安局",
            "valid_period": "20160725-20360725",
        }
    }


def test_flat_reply_and_capital_spellings_of_2017_are_equal():
    renamed = {"name": None, "Name": PERSON, "idcard": None, "Idcard": ID_NUMBER}
    renamed |= {"validDate": None, "validate": "20160725-20360725"}
    flat = {"code": "0", **id_card_members(ORDER, **renamed)}
    body = ReplyBody(json.dumps(flat).encode())

    assert IdCard().parse_reply(body) == parse()


class TestSides:
    @pytest.mark.parametrize(
        ("changes", "wanted", "sides"),
        [
            ({}, "both", ["front", "back"]),
            ({}, "front", ["front", "back"]),
            (NO_BACK, "front", ["front"]),
            (NO_BACK, "any", ["front"]),
            (NO_FRONT, "any", ["back"]),
            ({"backCode": "66661003"}, "front", ["front"]),
        ],
    )
    def test_only_sides_of_code_0_count(self, changes, wanted, sides):
        parsed = parse(wanted, **changes)
        assert IdCard().mask(parsed, KEY)["id_card"]["sides"] == sides

    @pytest.mark.parametrize(
        ("changes", "wanted", "code", "name"),
        [
            (NO_BACK, "both", "0", "back_not_scanned"),
            (NO_FRONT, "both", "0", "front_not_scanned"),
            (NO_FRONT, "front", "0", "front_not_scanned"),
            ({"frontCode": "66661006"}, "both", "66661006", "not_portrait_side"),
            ({"backCode": 66661007}, "both", "66661007", "not_emblem_side"),
            ({"backCode": "123"}, "both", "123", "back_not_recognized"),
            ({"backCode": "OK"}, "both", "unreadable", "back_not_recognized"),
            ({"frontCode": "-1102"}, "front", "-1102", "image_decode_failed_1102"),
            (NO_FRONT | {"backCode": "-9002"}, "any", "-9002", "ocr_failed"),
            (NO_FRONT | NO_BACK, "any", "0", "front_not_scanned"),
        ],
    )
    def test_wanted_side_that_failed_refuses_the_scan(
        self, changes, wanted, code, name
    ):
        expected = Rejected(code, CodeClass.RECOGNITION_FAILED, name)
        assert parse(wanted, **changes) == expected

    def test_side_that_failed_gives_neither_text_nor_photo(self):
        parsed = parse("any", frontCode="66661001")
        revealed = IdCard().reveal(parsed)["id_card"]

        assert {name for name, text in revealed.items() if text} == {
            "authority",
            "valid_period",
        }
        assert [photo.kind for photo in parsed.photos] == ["back", "back_crop"]
        assert parsed.photos_missing == ()

    def test_reply_without_side_and_order_is_malformed(self):
        with pytest.raises(MalformedReplyError) as caught:
            parse(**NO_FRONT, **NO_BACK, orderNo=None)
        assert (caught.value.cause, caught.value.field) == (
            Cause.REPLY_MALFORMED,
            "result",
        )

    @pytest.mark.parametrize(
        ("code", "class_"),
        [
            ("66660020", CodeClass.NOT_READY),
            ("66660015", CodeClass.RECOGNITION_FAILED),
            ("66661099", CodeClass.TRANSIENT),
            ("66660001", CodeClass.PERMANENT),
            ("400101", CodeClass.CREDENTIALS),
        ],
    )
    def test_codes_are_those_of_the_document(self, code, class_):
        assert parse(top={"code": code}).class_ is class_


class TestPhotos:
    def test_all_photos_are_decoded(self):
        parsed = parse()
        assert [photo.kind for photo in parsed.photos] == list(IdCard().photo_kinds)
        assert parsed.is_settled

    @pytest.mark.parametrize("crop", ["", "null", "not Base64!", "AAAA"])
    def test_empty_crop_is_missing_for_good(self, crop):
        parsed = parse(backCrop=crop, headPhoto=crop)
        assert parsed.photos_missing == ("portrait", "back_crop")
        assert (parsed.is_settled, parsed.is_incomplete) == (True, False)

    @pytest.mark.parametrize("original", ["frontPhoto", "backPhoto"])
    def test_missing_original_of_a_counted_side_is_waited_for(self, original):
        parsed = parse(**{original: ""})
        assert parsed.photos_missing == (original.removesuffix("Photo"),)
        assert (parsed.is_settled, parsed.is_incomplete) == (False, True)

    def test_original_that_is_no_base64_is_unreadable(self):
        with pytest.raises(MalformedReplyError) as caught:
            parse(backPhoto="not Base64!")
        assert (caught.value.cause, caught.value.field) == (
            Cause.PHOTO_UNREADABLE,
            "back",
        )


class TestValues:
    @pytest.mark.parametrize(
        ("text", "begins", "ends", "long_term", "expired"),
        [
            ("20160725-20240616", "2016-07-25", "2024-06-16", False, True),
            ("20160725-20240617", "2016-07-25", "2024-06-17", False, False),
            ("20070101-长期", "2007-01-01", None, True, False),
            ("2007.01.01-长期", "2007-01-01", None, True, False),
            ("2016.07.25-2036.07.25", "2016-07-25", "2036-07-25", False, False),
            ("20160230-20360725", None, "2036-07-25", False, False),
            ("20160725-20360230", None, None, None, None),
            ("20360725-20160725", None, None, None, None),
            ("20360725", None, None, None, None),
            ("长期", None, None, None, None),
            ("", None, None, None, None),
        ],
    )
    def test_validity_is_never_invented(self, text, begins, ends, long_term, expired):
        found = card(validDate=text)
        names = ("valid_from", "valid_until", "valid_long_term", "expired")
        assert [found[name] for name in names] == [begins, ends, long_term, expired]

    @pytest.mark.parametrize(
        ("birth", "year"),
        [("19900307", 1990), ("1990-03-07", 1990), ("19900231", None), ("", None)],
    )
    def test_birth_year_is_that_of_a_day(self, birth, year):
        assert card(birth=birth)["birth_year"] == year

    @pytest.mark.parametrize(
        ("sex", "shown"), [("男", "male"), ("女", "female"), ("M", None), ("", None)]
    )
    def test_sex(self, sex, shown):
        assert card(sex=sex)["sex"] == shown

    @pytest.mark.parametrize(
        "name",
        ["\ud83d", f"{PERSON}\ud83d", "a\x00b", "a\nb", "甲" * 65, 7.5, ["甲"], {}],
    )
    def test_name_that_is_no_text_is_none(self, name):
        parsed = parse(name=name)
        assert IdCard().mask(parsed, KEY)["id_card"]["name_masked"] is None
        assert IdCard().reveal(parsed)["id_card"]["name"] is None

    def test_huge_address_is_none_and_costs_nothing_else(self):
        parsed = parse(address="虚" * 2_000_000)
        revealed = IdCard().reveal(parsed)["id_card"]
        assert (revealed["address"], revealed["name"]) == (None, PERSON)

    def test_warning_codes_and_unknown_masks(self):
        found = card(
            frontWarnCode="66661003", backWarnCode=-9107, backMultiWarning="1001"
        )
        assert found["warnings"] == [
            {"side": "front", "code": "66661003", "name": "card_expired"},
            {"side": "back", "code": "-9107", "name": "glare"},
        ]
        assert found["warning_masks"] == {"front": "00000000", "back": None}

    def test_ninth_place_of_a_mask_is_kept_and_has_no_name(self):
        found = card(backMultiWarning="000000001")
        assert found["warnings"] == []
        assert found["warning_masks"]["back"] == "000000001"

    def test_number_is_not_passed_on_in_another_field(self):
        assert parse(bizSeqNo=ID_NUMBER + "1").biz_seq_no is None

    def test_repr_shows_no_value(self):
        shown = repr(parse())
        assert not [each for each in (PERSON, ID_NUMBER, ADDRESS) if each in shown]


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "masked", "is_valid"),
        [
            (ID_NUMBER, "000*************14", True),
            (ID_NUMBER[:-1] + "5", "000*************15", False),
            (OLD_ID_NUMBER, "000**********01", None),
            (ID_NUMBER[:17], "000************01", False),
            (NUMBER_WITH_X, "000*************9X", True),
            (NUMBER_WITH_X.lower(), "000*************9X", True),
            ("110 105 1949", None, None),
            ("0000001990", "********90", False),
            ("00000019900", "000******00", False),
            ("0" * 17 + "9" + "1", "000**************91", False),
            ("９９９９０００１９９０", "999******90", False),
            ("12", "**", False),
            ("X", None, None),
            ("", None, None),
            ("０００000199003070014", "000*************14", True),
        ],
    )
    def test_number_is_masked_and_checked(self, text, masked, is_valid):
        number = parse_id_number(text)
        assert mask_id_number(number) == masked
        assert is_id_number_valid(number) is is_valid

    @pytest.mark.parametrize(
        ("name", "masked"),
        [("试样人", "试**"), ("试样", "试*"), ("试", "*"), ("A·B", "A**"), ("", None)],
    )
    def test_name_is_masked(self, name, masked):
        assert mask_name(PersonName(name)) == masked
