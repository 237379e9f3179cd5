"""Proofs of the magic orders whose replies are sound HTTP and JSON."""

import base64
import binascii

import pytest

from sandbox.kyc_client import PHOTOS, Proof, Scene

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n"


def decoded(photo: str | None) -> bytes:
    return base64.b64decode(photo or "", validate=True)


def answers_code(word: str, code: object) -> Proof:
    def proof(scene: Scene) -> None:
        assert [scene.ask(f"{word}x1").code for _ in range(2)] == [code, code]

    return proof


def answers_field(word: str, **fields: object) -> Proof:
    def proof(scene: Scene) -> None:
        reply = scene.ask(f"{word}x1")
        assert reply.code == "0"
        assert {name: reply.result[name] for name in fields} == fields

    return proof


def good(scene: Scene) -> None:
    magic, plain = scene.ask("goodx1"), scene.ask("bankcardPic5923ab9a3bc34488b51")
    assert magic.code == plain.code == "0"
    assert plain.result["orderNo"] == "bankcardPic5923ab9a3bc34488b51"
    assert plain.result["success"] is False


def late(scene: Scene) -> None:
    nothing = dict.fromkeys(PHOTOS, "")
    assert scene.photos("late3x001") == nothing
    scene.clock.advance(2.9)
    assert scene.photos("late3x001") == nothing
    scene.clock.advance(0.1)
    assert all(decoded(p).startswith(JPEG) for p in scene.photos("late3x001").values())


def late_never(scene: Scene) -> None:
    scene.ask("latenever001")
    scene.clock.advance(3000)
    assert scene.photos("latenever001") == dict.fromkeys(PHOTOS, "")


def late_original(scene: Scene) -> None:
    first = scene.photos("lateoriginal2x1")
    scene.clock.advance(2)
    then = scene.photos("lateoriginal2x1")
    assert first[PHOTOS[0]] is None
    assert decoded(then[PHOTOS[0]]).startswith(JPEG)
    assert first[PHOTOS[1]] == then[PHOTOS[1]]


def lost_original(scene: Scene) -> None:
    scene.ask("lostoriginalx1")
    scene.clock.advance(3000)
    photos = scene.photos("lostoriginalx1")
    assert [photo is None for photo in photos.values()] == [True, False, False]


def lost_crops(scene: Scene) -> None:
    scene.ask("lostcropsx1")
    scene.clock.advance(3000)
    photos = scene.photos("lostcropsx1")
    assert [photo == "" for photo in photos.values()] == [False, True, True]


def not_ready(scene: Scene) -> None:
    assert scene.ask("notready20x1").code == "66660020"
    scene.clock.advance(19.9)
    assert scene.ask("notready20x1").code == "66660020"
    scene.clock.advance(0.1)
    assert scene.ask("notready20x1").code == "0"


def kill_ticket(scene: Scene) -> None:
    token = scene.client.token()
    ticket = scene.client.ticket(token)
    assert scene.client.query("killticketx1", ticket=ticket).code == "400101"
    assert scene.client.query("plain1", ticket=ticket).code == "400101"
    assert scene.client.ask_ticket(token).code == "15"
    renewed = scene.client.refresh()
    assert scene.client.query("killticketx1", ticket=renewed).code == "0"


def changing(scene: Scene) -> None:
    numbers = [scene.ask("changingx1").result["bankCardNo"] for _ in range(3)]
    assert numbers[0] != numbers[1] == numbers[2]


def flat(scene: Scene) -> None:
    reply = scene.ask("flatx1").json
    assert "result" not in reply
    assert (reply["code"], reply["orderNo"]) == ("0", "flatx1")


def old_names(scene: Scene) -> None:
    result = scene.ask("oldnamesx1", get_file="1").result
    assert {
        "orginBankcardPhoto",
        "bankcardNo",
        "warningCode",
        "multiWarningCode",
    } <= result.keys()
    assert not {PHOTOS[0], "bankCardNo", "warnCode"} & result.keys()


def new_fields(scene: Scene) -> None:
    plain, extended = scene.ask("plain1"), scene.ask("newfieldsx1")
    assert plain.json.keys() < extended.json.keys()
    assert plain.result.keys() < extended.result.keys()


def data_uri(scene: Scene) -> None:
    for photo in scene.photos("dataurix1").values():
        prefix, _, text = str(photo).partition(",")
        assert prefix == "data:image/jpeg;base64"
        assert decoded(text).startswith(JPEG)


def line_breaks(scene: Scene) -> None:
    for photo in scene.photos("linebreaksx1").values():
        lines = str(photo).split("\r\n")
        assert {len(line) for line in lines[:-1]} == {76}
        assert decoded("".join(lines)).startswith(JPEG)


def bad_base64(scene: Scene) -> None:
    for photo in scene.photos("badbase64x1").values():
        assert base64.b64decode(str(photo)).startswith(JPEG)  # the lax decoder's trap
        with pytest.raises(binascii.Error):
            decoded(photo)


def png_photos(scene: Scene) -> None:
    photos = scene.photos("pngphotosx1").values()
    assert all(decoded(photo).startswith(PNG) for photo in photos)


def once(scene: Scene) -> None:
    assert [scene.ask("once66661099x1").code for _ in range(2)] == ["66661099", "0"]
    assert [scene.ask("oncecodem9012x1").code for _ in range(2)] == ["-9012", "0"]
    assert [scene.ask("once503x1").status for _ in range(2)] == [503, 200]
    assert [scene.ask("oncehtmlx1").body[:1] for _ in range(2)] == [b"<", b"{"]


PROOFS: dict[str, Proof] = {
    "good": good,
    "lateN": late,
    "latenever": late_never,
    "lateoriginalN": late_original,
    "lostoriginal": lost_original,
    "lostcrops": lost_crops,
    "notreadyN": not_ready,
    "neverready": answers_code("neverready", "66660011"),
    "killticketN": kill_ticket,
    "changing": changing,
    "codeN": answers_code("codem9011", "-9011"),
    "codeunknown": answers_code("codeunknown", "70007000"),
    "appunknown": answers_code("appunknown", "66660001"),
    "appexpired": answers_code("appexpired", "66660002"),
    "flat": flat,
    "oldnames": old_names,
    "newfields": new_fields,
    "intcode": answers_code("intcode", 0),
    "floatcode": lambda scene: _is_float(scene.ask("floatcodex1").code),
    "nullcode": answers_code("nullcode", None),
    "spacecode": answers_code("spacecode", " 0"),
    "datauri": data_uri,
    "linebreaks": line_breaks,
    "badbase64": bad_base64,
    "pngphotos": png_photos,
    "warnone": answers_field("warnone", warnCode="-9110", multiWarnCode="0"),
    "warnlist": answers_field("warnlist", multiWarnCode="[-9110,-9111,-9114]"),
    "warnbroken": answers_field("warnbroken", multiWarnCode="[-9110,,x"),
    "unknownwarning": answers_field("unknownwarning", warnCode="-9199"),
    "othernumber": answers_field("othernumber", orderNo="another1"),
    "maskednumber": answers_field("maskednumber", bankCardNo="x" * 19),
    "nonumber": answers_field("nonumber", bankCardNo=""),
    "nodate": answers_field("nodate", bankCardValidDate=""),
    "longterm": answers_field("longterm", bankCardValidDate="长期"),
    "cardexpired": answers_field(
        "cardexpired", bankCardValidDate="12/2020", warnCode="66661009"
    ),
    "once...": once,
}


def _is_float(code: object) -> None:
    assert isinstance(code, float)
    assert code == 0
