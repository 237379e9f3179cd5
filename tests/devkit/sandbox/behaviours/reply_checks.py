"""Checks of the magic orders whose replies are valid HTTP and JSON."""

import base64
import binascii
from collections.abc import Callable

import pytest

from devkit.sandbox.kyc_client import PHOTOS, Check, SandboxRig

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n"


def decoded(photo: str | None) -> bytes:
    return base64.b64decode(photo or "", validate=True)


def replies_with_code(name: str, code: object) -> Check:
    def check(rig: SandboxRig) -> None:
        assert [rig.query(f"{name}x1").code for _ in range(2)] == [code, code]

    return check


def replies_with_field(name: str, /, **fields: object) -> Check:
    def check(rig: SandboxRig) -> None:
        reply = rig.query(f"{name}x1")
        assert reply.code == "0"
        assert {each: reply.result[each] for each in fields} == fields

    return check


def good(rig: SandboxRig) -> None:
    magic, plain = rig.query("goodx1"), rig.query("bankcardPic5923ab9a3bc34488b51")
    assert magic.code == plain.code == "0"
    assert plain.result["orderNo"] == "bankcardPic5923ab9a3bc34488b51"


def late(rig: SandboxRig) -> None:
    nothing = dict.fromkeys(rig.document.photos, "")
    assert rig.photos("late3x001") == nothing
    rig.clock.advance(2.9)
    assert rig.photos("late3x001") == nothing
    rig.clock.advance(0.1)
    assert all(decoded(p).startswith(JPEG) for p in rig.photos("late3x001").values())


def late_original(rig: SandboxRig) -> None:
    first = rig.photos("lateoriginal2x1")
    rig.clock.advance(2)
    then = rig.photos("lateoriginal2x1")
    for name in rig.document.originals:
        assert first[name] is None
        assert decoded(then[name]).startswith(JPEG)
    for name in rig.document.crops:
        assert first[name] == then[name]


def never_photos(rig: SandboxRig) -> None:
    assert lost_photos(rig, "latenever", "") == rig.document.photos


def lost_original(rig: SandboxRig) -> None:
    assert lost_photos(rig, "lostoriginal", None) == rig.document.originals


def lost_crops(rig: SandboxRig) -> None:
    assert lost_photos(rig, "lostcrops", "") == rig.document.crops


def lost_photos(rig: SandboxRig, name: str, lost: object) -> tuple[str, ...]:
    rig.query(f"{name}x1")
    rig.clock.advance(3000)
    photos = rig.photos(f"{name}x1")
    return tuple(field for field, photo in photos.items() if photo == lost)


def not_ready(rig: SandboxRig) -> None:
    assert rig.query("notready20x1").code == rig.document.not_ready
    rig.clock.advance(19.9)
    assert rig.query("notready20x1").code == rig.document.not_ready
    rig.clock.advance(0.1)
    assert rig.query("notready20x1").code == "0"


def never_ready(rig: SandboxRig) -> None:
    replies_with_code("neverready", rig.document.no_record)(rig)
    assert "result" not in rig.query("neverreadyx1").json


def kill_ticket(rig: SandboxRig) -> None:
    token = rig.client.token()
    ticket = rig.client.ticket(token)
    assert rig.query_with(ticket, "killticketx1").code == "400101"
    assert rig.query_with(ticket, "plain1").code == "400101"
    assert rig.client.request_ticket(token).code == "15"
    renewed = rig.client.refresh()
    assert rig.query_with(renewed, "killticketx1").code == "0"


def changing(rig: SandboxRig) -> None:
    first, second, third = (
        {
            name: value
            for name, value in rig.query("changingx1").result.items()
            if name != "bizSeqNo"
        }
        for _ in range(3)
    )
    assert first != second == third
    assert first.keys() == second.keys()


def another_number(rig: SandboxRig) -> None:
    numbers = [rig.query("changingx1").result["bankCardNo"] for _ in range(3)]
    assert numbers[0] != numbers[1] == numbers[2]


def flat(rig: SandboxRig) -> None:
    reply = rig.query("flatx1").json
    assert "result" not in reply
    assert (reply["code"], reply["orderNo"]) == ("0", "flatx1")


def old_names(rig: SandboxRig) -> None:
    result = rig.query("oldnamesx1", get_file="1").result
    assert {
        "orginBankcardPhoto",
        "bankcardNo",
        "warningCode",
        "multiWarningCode",
    } <= result.keys()
    assert not {PHOTOS[0], "bankCardNo", "warnCode"} & result.keys()


def new_fields(rig: SandboxRig) -> None:
    plain, extended = rig.query("plain1"), rig.query("newfieldsx1")
    assert plain.json.keys() < extended.json.keys()
    assert plain.result.keys() < extended.result.keys()


def each_photo(name: str, is_expected: Callable[[str], bool]) -> Check:
    def check(rig: SandboxRig) -> None:
        assert all(
            is_expected(str(photo)) for photo in rig.photos(f"{name}x1").values()
        )

    return check


def is_data_uri(photo: str) -> bool:
    prefix, _, text = photo.partition(",")
    return prefix == "data:image/jpeg;base64" and decoded(text).startswith(JPEG)


def has_line_breaks(photo: str) -> bool:
    *lines, last = photo.split("\r\n")
    whole = decoded("".join([*lines, last]))
    return {len(line) for line in lines} == {76} and whole.startswith(JPEG)


def is_bad_base64(photo: str) -> bool:
    with pytest.raises(binascii.Error):
        decoded(photo)
    return base64.b64decode(photo).startswith(JPEG)  # the lax decoder's trap


def once(rig: SandboxRig) -> None:
    assert [rig.query("once66661099x1").code for _ in range(2)] == ["66661099", "0"]
    assert [rig.query("oncecodem9012x1").code for _ in range(2)] == ["-9012", "0"]
    assert [rig.query("once503x1").status for _ in range(2)] == [503, 200]
    assert [rig.query("oncehtmlx1").body[:1] for _ in range(2)] == [b"<", b"{"]


CHECKS: dict[str, Check] = {
    "good": good,
    "lateN": late,
    "latenever": never_photos,
    "lateoriginalN": late_original,
    "lostoriginal": lost_original,
    "notreadyN": not_ready,
    "neverready": never_ready,
    "killticketN": kill_ticket,
    "changing": changing,
    "codeN": replies_with_code("code66661099", "66661099"),
    "codeunknown": replies_with_code("codeunknown", "70007000"),
    "appunknown": replies_with_code("appunknown", "66660001"),
    "appexpired": replies_with_code("appexpired", "66660002"),
    "flat": flat,
    "newfields": new_fields,
    "intcode": replies_with_code("intcode", 0),
    "floatcode": lambda rig: _is_float(rig.query("floatcodex1").code),
    "nullcode": replies_with_code("nullcode", None),
    "spacecode": replies_with_code("spacecode", " 0"),
    "successtrue": lambda rig: has_success(rig, "successtrue", value=True),
    "successfalse": lambda rig: has_success(rig, "successfalse", value=False),
    "datauri": each_photo("datauri", is_data_uri),
    "linebreaks": each_photo("linebreaks", has_line_breaks),
    "badbase64": each_photo("badbase64", is_bad_base64),
    "pngphotos": each_photo("pngphotos", lambda photo: decoded(photo).startswith(PNG)),
    "othernumber": replies_with_field("othernumber", orderNo="another1"),
    "once...": once,
}
BANK_CARD_CHECKS: dict[str, Check] = {
    "good": lambda rig: _is_false(rig.query("order1").result["success"]),
    "changing": another_number,
    "codeN": replies_with_code("codem9011", "-9011"),
    "neverready": replies_with_code("neverready", "66660011"),
    "notreadyN": replies_with_code("notready", "66660020"),
    "lostcrops": lost_crops,
    "oldnames": old_names,
    "warnone": replies_with_field("warnone", warnCode="-9110", multiWarnCode="0"),
    "warnlist": replies_with_field("warnlist", multiWarnCode="[-9110,-9111,-9114]"),
    "warnbroken": replies_with_field("warnbroken", multiWarnCode="[-9110,,x"),
    "unknownwarning": replies_with_field("unknownwarning", warnCode="-9199"),
    "maskednumber": replies_with_field("maskednumber", bankCardNo="x" * 19),
    "nonumber": replies_with_field("nonumber", bankCardNo=""),
    "nodate": replies_with_field("nodate", bankCardValidDate=""),
    "longterm": replies_with_field("longterm", bankCardValidDate="长期"),
    "cardexpired": replies_with_field(
        "cardexpired", bankCardValidDate="12/2020", warnCode="66661009"
    ),
}


def has_success(rig: SandboxRig, name: str, *, value: bool) -> None:
    reply = rig.query(f"{name}x1")
    assert {**reply.json, **reply.result}["success"] is value


def _is_false(value: object) -> None:
    assert value is False


def _is_float(code: object) -> None:
    assert isinstance(code, float)
    assert code == 0
