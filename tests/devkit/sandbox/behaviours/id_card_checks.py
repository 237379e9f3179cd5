"""Checks of the magic orders of the ID card."""

import json

from devkit.sandbox.behaviours.reply_checks import (
    JPEG,
    decoded,
    lost_crops,
    replies_with_code,
    replies_with_field,
)
from devkit.sandbox.kyc_client import Check, SandboxRig

MEBIBYTE = 1024 * 1024
FRONT = {
    *("frontCode", "name", "sex", "nation", "birth", "address", "idcard"),
    *("frontPhoto", "frontCrop", "headPhoto"),
    *("frontWarnCode", "frontMultiWarning", "frontClarity"),
}
BACK = {
    *("backCode", "validDate", "authority", "backPhoto", "backCrop"),
    *("backWarnCode", "backMultiWarning", "backClarity"),
}
BOTH = {"orderNo", "operateTime", "success", "bizSeqNo", "transactionTime"}
PHOTOS = {"frontPhoto", "frontCrop", "headPhoto", "backPhoto", "backCrop"}
WEIGHTS = [2 ** (17 - at) % 11 for at in range(17)]


def check_character(number: str) -> str:
    """Return the check character of ISO 7064 MOD 11-2."""
    weighted = zip(number, WEIGHTS, strict=False)
    total = sum(int(digit) * weight for digit, weight in weighted)
    return "0123456789X"[(12 - total) % 11]


def has_fields(name: str, fields: set[str]) -> Check:
    def check(rig: SandboxRig) -> None:
        reply = rig.query(f"{name}x1", get_file="1")
        assert reply.code == "0"
        assert reply.result.keys() == fields

    return check


def rejects_side(name: str, *sides: str) -> Check:
    """The side has its code and photos, and nothing that was read from it."""

    def check(rig: SandboxRig) -> None:
        reply = rig.query(f"{name}66661003x1", get_file="1")
        assert reply.code == "0"
        read = {"front": FRONT, "back": BACK}
        absent = set().union(*(read[side] for side in sides)) - PHOTOS
        codes = {f"{side}Code" for side in sides}
        assert {reply.result[code] for code in codes} == {"66661003"}
        assert reply.result.keys() == (FRONT | BACK | BOTH) - (absent - codes)

    return check


def is_late(name: str, field: str, other: str) -> Check:
    def check(rig: SandboxRig) -> None:
        first = rig.photos(f"{name}2x1")
        rig.clock.advance(2)
        assert first[field] is None
        assert decoded(first[other]).startswith(JPEG)
        assert decoded(rig.photos(f"{name}2x1")[field]).startswith(JPEG)

    return check


def old_names(rig: SandboxRig) -> None:
    result = rig.query("oldnamesx1").result
    capitals = {"Name", "Sex", "Nation", "Birth", "Address", "Idcard", "Authority"}
    assert capitals | {"validate"} <= result.keys()
    assert not {name.lower() for name in capitals} & result.keys()
    assert "validDate" not in result


def good(rig: SandboxRig) -> None:
    result = rig.query("goodx1").result
    assert (result["frontCode"], result["backCode"]) == ("0", "0")
    assert result["success"] is False


def changing(rig: SandboxRig) -> None:
    numbers = [rig.query("changingx1").result["idcard"] for _ in range(3)]
    assert numbers[0] != numbers[1] == numbers[2]
    assert numbers[1][-1] == check_character(numbers[1])


def lost_back_crop(rig: SandboxRig) -> None:
    rig.query("lostbackcropx1")
    rig.clock.advance(3000)
    photos = rig.photos("lostbackcropx1")
    assert [name for name, photo in photos.items() if not photo] == ["backCrop"]


def no_warnings(rig: SandboxRig) -> None:
    names = rig.query("nowarningsx1").result.keys()
    assert not [name for name in names if "Warn" in name]
    assert {"frontClarity", "backClarity"} <= names


def number(rig: SandboxRig, name: str) -> str:
    return str(rig.query(f"{name}x1").result["idcard"])


def bad_check(rig: SandboxRig) -> None:
    wrong = number(rig, "badcheck")
    assert len(wrong) == 18
    assert wrong[-1] != check_character(wrong)


def number_x(rig: SandboxRig) -> None:
    found = number(rig, "numberx")
    assert found[-1] == check_character(found) == "X"


def number_lower_x(rig: SandboxRig) -> None:
    found = number(rig, "numberlowerx")
    assert (found[-1], check_character(found)) == ("x", "X")


def number_15(rig: SandboxRig) -> None:
    reply = rig.query("number15x1").result
    short, birth = reply["idcard"], reply["birth"]
    assert (len(short), short[:6], short[6:12]) == (15, "000000", birth[2:])


def number_17(rig: SandboxRig) -> None:
    assert len(number(rig, "number17")) == 17


def surrogate_name(rig: SandboxRig) -> None:
    body = rig.query("surrogatenamex1").body
    assert json.loads(body)["result"]["name"] == "测试\ud800"
    assert rb"\ud800" in body


def date_dots(rig: SandboxRig) -> None:
    text = rig.query("datedotsx1").result["validDate"]
    assert [len(part) for part in text.replace("-", ".").split(".")] == [4, 2, 2] * 2


def one_date(rig: SandboxRig) -> None:
    text = rig.query("onedatex1").result["validDate"]
    assert (len(text), text.isdigit()) == (8, True)


def long_address(rig: SandboxRig) -> None:
    address = rig.query("longaddress2x1").result["address"]
    assert address.startswith("测试省")
    assert len(address) == 2 * MEBIBYTE


def date(name: str, text: str) -> Check:
    return replies_with_field(name, validDate=text)


CHECKS: dict[str, Check] = {
    "good": good,
    "changing": changing,
    "codeN": replies_with_code("code66661003", "66661003"),
    "neverready": replies_with_code("neverready", "66660020"),
    "lostcrops": lost_crops,
    "lostbackcrop": lost_back_crop,
    "oldnames": old_names,
    "frontonly": has_fields("frontonly", FRONT | BOTH),
    "backonly": has_fields("backonly", BACK | BOTH),
    "neitherside": has_fields("neitherside", BOTH),
    "frontcodeN": rejects_side("frontcode", "front"),
    "backcodeN": rejects_side("backcode", "back"),
    "bothcodesN": rejects_side("bothcodes", "front", "back"),
    "intsides": replies_with_field("intsides", frontCode=0, backCode=0),
    "latefrontN": is_late("latefront", "frontPhoto", "backPhoto"),
    "latebackN": is_late("lateback", "backPhoto", "frontPhoto"),
    "frontwarnN": replies_with_field("frontwarn", frontWarnCode="66661003"),
    "backwarnN": replies_with_field("backwarnm9105", backWarnCode="-9105"),
    "frontmaskN": replies_with_field(
        "frontmask00000001", frontMultiWarning="00000001", backMultiWarning="00000000"
    ),
    "backmaskN": replies_with_field("backmask", backMultiWarning="10010100"),
    "oddmasks": replies_with_field(
        "oddmasks", frontMultiWarning="0001", backMultiWarning="0001x00?"
    ),
    "nowarnings": no_warnings,
    "nonumber": replies_with_field("nonumber", idcard=""),
    "badcheck": bad_check,
    "numberx": number_x,
    "numberlowerx": number_lower_x,
    "number15": number_15,
    "number17": number_17,
    "noname": replies_with_field("noname", name=""),
    "surrogatename": surrogate_name,
    "badbirth": replies_with_field("badbirth", birth="19900231"),
    "nodate": date("nodate", ""),
    "longterm": date("longterm", "20070101-长期"),
    "longtermdots": date("longtermdots", "2007.01.01-长期"),
    "cardexpired": date("cardexpired", "20050101-20150101"),
    "baddate": date("baddate", "20160231-20360231"),
    "datedots": date_dots,
    "onedate": one_date,
    "longaddressN": long_address,
}
