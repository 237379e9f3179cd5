"""Checks of the magic orders of the face."""

from devkit.sandbox.behaviours.reply_checks import (
    JPEG,
    decoded,
    replies_with_code,
    replies_with_field,
)
from devkit.sandbox.document_calls import FACE, face_body
from devkit.sandbox.kyc_client import Check, SandboxRig
from devkit.sandbox.mp4_boxes import read_mp4

MEBIBYTE = 1024 * 1024
SCORES = {"liveRate", "similarity"}
FIELDS = {"orderNo", *SCORES, "occurredTime", "appId", "bizSeqNo", "riskInfo"}
FILES = {"photo", "video"}


def has_files(rig: SandboxRig, order_no: str) -> set[str]:
    """Return the names of the files that are neither absent nor empty."""
    result = rig.query(order_no, get_file="1").result
    return {name for name in FILES if result.get(name)}


def good(rig: SandboxRig) -> None:
    assert rig.query("goodx1", get_file="1").result.keys() == FIELDS | FILES


def late(rig: SandboxRig) -> None:
    assert has_files(rig, "late3x1") == set()
    rig.clock.advance(3)
    assert has_files(rig, "late3x1") == FILES


def late_original(rig: SandboxRig) -> None:
    assert has_files(rig, "lateoriginal3x1") == {"video"}


def late_video(rig: SandboxRig) -> None:
    assert has_files(rig, "latevideo3x1") == {"photo"}
    rig.clock.advance(2.9)
    assert has_files(rig, "latevideo3x1") == {"photo"}
    rig.clock.advance(0.1)
    assert has_files(rig, "latevideo3x1") == FILES


def late_video_by_queries(rig: SandboxRig) -> None:
    found = [has_files(rig, "latevideoquery2x1") for _ in range(4)]
    assert found == [{"photo"}, {"photo"}, FILES, FILES]


def never_video(rig: SandboxRig) -> None:
    has_files(rig, "novideox1")
    rig.clock.advance(3000)
    result = rig.query("novideox1", get_file="1").result
    assert result.keys() == FIELDS | {"photo"}


def empty_video(rig: SandboxRig) -> None:
    result = rig.query("emptyvideox1", get_file="1").result
    assert (result["video"], result["photo"] > "") == ("", True)
    assert "video" not in rig.query("emptyvideox1", get_file="2").result


def bad_video(rig: SandboxRig) -> None:
    video = decoded(rig.query("badvideox1", get_file="1").result["video"])
    assert len(video) > 500
    assert b"ftyp" not in video


def large_video(rig: SandboxRig) -> None:
    plain = decoded(rig.query("plain1", get_file="3").result["video"])
    large = decoded(rig.query("video2x1", get_file="3").result["video"])
    assert len(plain) < MEBIBYTE / 10
    assert len(large) == 2 * MEBIBYTE
    assert read_mp4(large).seconds == 2
    assert "video" not in rig.query("video2x1", get_file="2").result


def refused(rig: SandboxRig) -> None:
    reply = rig.query("refusedx1", get_file="1")
    assert reply.code == "66660004"
    assert reply.json["msg"] == "cannot confirm that it is the same person"
    assert reply.result.keys() == FIELDS
    assert float(reply.result["similarity"]) < 50


def refused_with_photo(rig: SandboxRig) -> None:
    reply = rig.query("refusedphotox1", get_file="1")
    assert reply.code == "66660004"
    assert reply.result.keys() == FIELDS | {"photo"}
    assert decoded(reply.result["photo"]).startswith(JPEG)
    assert "photo" not in rig.query("refusedphotox1").result
    assert rig.query("refusedphoto66660010x1").code == "66660010"


def not_live(rig: SandboxRig) -> None:
    reply = rig.query("notlivex1", get_file="1")
    assert reply.code == "-5011"
    assert reply.result.keys() == FIELDS - SCORES


def no_scores(rig: SandboxRig) -> None:
    reply = rig.query("noscoresx1")
    assert (reply.code, reply.result.keys()) == ("0", FIELDS - SCORES)


def no_risk(rig: SandboxRig) -> None:
    assert rig.query("noriskx1").result.keys() == FIELDS - {"riskInfo"}


def trtc(rig: SandboxRig) -> None:
    body = {**face_body("trtcx1", ticket=rig.ticket), "queryVersion": "1.0"}
    reply = rig.client.send_request(FACE.request_with(body))
    assert reply.result["trtcFlag"] == "Y"
    assert "trtcFlag" not in rig.query("trtcx1").result


def data_uri(rig: SandboxRig) -> None:
    result = rig.query("datauri", get_file="1").result
    prefix, _, text = result["video"].partition(",")
    assert prefix == "data:video/mp4;base64"
    assert read_mp4(decoded(text)).seconds == 2


def png_photos(rig: SandboxRig) -> None:
    result = rig.query("pngphotosx1", get_file="1").result
    assert read_mp4(decoded(result["video"])).seconds == 2


def changing(rig: SandboxRig) -> None:
    scores = [rig.query("changingx1").result["similarity"] for _ in range(3)]
    assert scores[0] != scores[1] == scores[2]


CHECKS: dict[str, Check] = {
    "good": good,
    "lateN": late,
    "lateoriginalN": late_original,
    "datauri": data_uri,
    "pngphotos": png_photos,
    "changing": changing,
    "codeN": replies_with_code("codem1304", "-1304"),
    "neverready": replies_with_code("neverready", "66660011"),
    "notreadyN": replies_with_code("notready", "66660011"),
    "successtrue": lambda rig: is_true(rig.query("successtruex1").json["success"]),
    "latevideoN": late_video,
    "latevideoqueryN": late_video_by_queries,
    "novideo": never_video,
    "emptyvideo": empty_video,
    "badvideo": bad_video,
    "videoN": large_video,
    "refusedN": refused,
    "refusedphotoN": refused_with_photo,
    "notliveN": not_live,
    "noscores": no_scores,
    "emptyscores": replies_with_field("emptyscores", liveRate="", similarity=""),
    "numberscores": replies_with_field("numberscores", liveRate=99, similarity=92.4),
    "oddscores": replies_with_field("oddscores", liveRate="high", similarity="N/A"),
    "lowscores": replies_with_field("lowscores", liveRate="12", similarity="31.0"),
    "norisk": no_risk,
    "oddrisk": replies_with_field("oddrisk", riskInfo="1"),
    "trtc": trtc,
}


def is_true(value: object) -> None:
    assert value is True
