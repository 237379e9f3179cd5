"""Defines the magic orders of the face."""

from base64 import b64encode

from kycourier_devkit.sandbox.behaviours.order_actions import (
    Drift,
    NumberedDrift,
    OrderAction,
    converted,
    drifted,
    late,
    late_by_queries,
    numbered,
    with_fields,
)
from kycourier_devkit.sandbox.behaviours.spelling import Behaviour
from kycourier_devkit.sandbox.documents.face_files import face_video
from kycourier_devkit.sandbox.http.responses import Response
from kycourier_devkit.sandbox.results.document import OrderQuery, ResultReply
from kycourier_devkit.sandbox.results.face import LIVE_RATE, PHOTO, SIMILARITY, VIDEO

_NOT_THE_SAME_PERSON = 66660004
_NOT_LIVE = -5011
_MAX_MEBIBYTES = 64
_LOW_SIMILARITY = "31.0"


def _without_video(reply: ResultReply) -> ResultReply:
    return reply.without(VIDEO)


def _without_scores(reply: ResultReply) -> ResultReply:
    return reply.without(LIVE_RATE, SIMILARITY)


def _scores(live_rate: object, similarity: object) -> Drift:
    return with_fields(**{LIVE_RATE: live_rate, SIMILARITY: similarity})


def _large_video(reply: ResultReply, mebibytes: int) -> ResultReply:
    if VIDEO not in reply.result:
        return reply
    order_no = str(reply.result["orderNo"])
    video = face_video(order_no, mebibytes=min(mebibytes, _MAX_MEBIBYTES))
    return reply.with_result(**{VIDEO: b64encode(video).decode()})


def _empty_video(reply: ResultReply) -> ResultReply:
    return reply.with_present(**{VIDEO: ""})


def _bad_video(reply: ResultReply) -> ResultReply:
    return reply.with_present(**{VIDEO: b64encode(b"no video" * 100).decode()})


def _refused_with_photo(query: OrderQuery, code: int) -> Response:
    reply = query.reply(str(code)).with_result(**{SIMILARITY: _LOW_SIMILARITY})
    return _without_video(reply).response()


def _refused(query: OrderQuery, code: int) -> Response:
    reply = query.reply(str(code)).with_result(**{SIMILARITY: _LOW_SIMILARITY})
    return reply.without(PHOTO, VIDEO).response()


def _not_live(query: OrderQuery, code: int) -> Response:
    return _without_scores(query.reply(str(code)).without(PHOTO, VIDEO)).response()


_low_scores = _scores("12", _LOW_SIMILARITY)

_DRIFTS: tuple[Behaviour[Drift], ...] = (
    Behaviour("novideo", "the video never comes", _without_video),
    Behaviour("emptyvideo", "the video is an empty string, always", _empty_video),
    Behaviour("badvideo", "the video is no MP4", _bad_video),
    Behaviour("noscores", "liveRate and similarity are absent", _without_scores),
    Behaviour("emptyscores", "liveRate and similarity are empty", _scores("", "")),
    Behaviour("numberscores", "scores are numbers: 99 and 92.4", _scores(99, 92.4)),
    Behaviour("oddscores", "scores are high and N/A", _scores("high", "N/A")),
    Behaviour("lowscores", "scores 12 and 31.0, code 0", _low_scores),
    Behaviour("norisk", "no riskInfo", lambda reply: reply.without("riskInfo")),
    Behaviour("oddrisk", "riskInfo is a string", with_fields(riskInfo="1")),
    Behaviour("trtc", "trtcFlag is Y", lambda reply: reply.with_present(trtcFlag="Y")),
)
_NUMBERED: tuple[Behaviour[NumberedDrift], ...] = (
    Behaviour("videoN", "a video of N MiB", _large_video, 8),
)

FACE_ORDERS: list[Behaviour[OrderAction]] = [
    Behaviour("refusedN", "code N, scores, no files", _refused, _NOT_THE_SAME_PERSON),
    Behaviour(
        "refusedphotoN",
        "code N, scores, a photo if asked",
        _refused_with_photo,
        _NOT_THE_SAME_PERSON,
    ),
    Behaviour("notliveN", "code N, neither scores nor files", _not_live, _NOT_LIVE),
    Behaviour("latevideoN", "the video comes after N seconds", late(_without_video), 3),
    Behaviour(
        "latevideoqueryN",
        "the video comes after N queries",
        late_by_queries(_without_video),
        2,
    ),
    *converted(_DRIFTS, drifted),
    *converted(_NUMBERED, numbered),
]
