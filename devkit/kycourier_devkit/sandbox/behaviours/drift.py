"""Defines results that differ from the documentation, for every document."""

from collections.abc import Callable
from dataclasses import replace
from textwrap import wrap

from kycourier_devkit.sandbox.behaviours.order_actions import Drift, with_fields
from kycourier_devkit.sandbox.behaviours.spelling import Behaviour
from kycourier_devkit.sandbox.documents.drawing import png_text
from kycourier_devkit.sandbox.results.document import ResultReply

FileChange = Callable[[str, str], str]  # (media type, Base64)


def without_files(reply: ResultReply) -> ResultReply:
    """Replaces all photos and videos, if present, by empty strings."""
    return reply.with_present(**dict.fromkeys(reply.document.files, ""))


def without_originals(reply: ResultReply) -> ResultReply:
    """Removes the fields of the original photos; keeps crops and videos."""
    return reply.without(*reply.document.originals)


def without_crops(reply: ResultReply) -> ResultReply:
    """Replaces the crops, if present, by empty strings."""
    return reply.with_present(**dict.fromkeys(reply.document.crops, ""))


def _outer(**fields: object) -> Drift:
    return lambda reply: reply.with_outer(**fields)


def _success(*, value: bool) -> Drift:
    def drift(reply: ResultReply) -> ResultReply:
        if "success" in reply.result:
            return reply.with_result(success=value)
        return reply.with_outer(success=value)

    return drift


def _files(change: FileChange) -> Drift:
    def drift(reply: ResultReply) -> ResultReply:
        document = reply.document
        media_types = {
            **dict.fromkeys(document.photos, "image/jpeg"),
            **dict.fromkeys(document.videos, "video/mp4"),
        }
        changed = {
            name: change(media_type, str(reply.result[name]))
            for name, media_type in media_types.items()
            if name in reply.result
        }
        return reply.with_result(**changed)

    return drift


def _renamed(reply: ResultReply) -> ResultReply:
    names = reply.document.old_names
    fields = {names.get(name, name): reply.result[name] for name in reply.result}
    return replace(reply, result=fields)


def _as_png(reply: ResultReply) -> ResultReply:
    photo = reply.document.small_jpeg(str(reply.result["orderNo"]))
    return reply.with_present(**dict.fromkeys(reply.document.photos, png_text(photo)))


def _extended(reply: ResultReply) -> ResultReply:
    return reply.with_outer(retry="0").with_result(extInfo={"newField": "1"})


def _flat(reply: ResultReply) -> ResultReply:
    return replace(reply, nested=False)


def _lines(_: str, file: str) -> str:
    return "\r\n".join(wrap(file, 76))


def _corrupted(_: str, file: str) -> str:
    return f"{file[:40]}!*{file[40:]}"


def _data_uri(media_type: str, file: str) -> str:
    return f"data:{media_type};base64,{file}"


_of_another_order = with_fields(orderNo="another1")

DRIFTS: tuple[Behaviour[Drift], ...] = (
    Behaviour("flat", "no result object, all fields side by side", _flat),
    Behaviour("newfields", "fields that the documentation does not have", _extended),
    Behaviour("intcode", "code is the number 0", _outer(code=0)),
    Behaviour("floatcode", "code is the number 0.0", _outer(code=0.0)),
    Behaviour("nullcode", "code is null", _outer(code=None)),
    Behaviour("spacecode", "code is a blank and 0", _outer(code=" 0")),
    Behaviour("successtrue", "success is true", _success(value=True)),
    Behaviour("successfalse", "success is false", _success(value=False)),
    Behaviour("datauri", "photos and videos are data: URIs", _files(_data_uri)),
    Behaviour(
        "linebreaks", "photos and videos in lines of 76 characters", _files(_lines)
    ),
    Behaviour(
        "badbase64", "photos and videos with ! and * in the Base64", _files(_corrupted)
    ),
    Behaviour("pngphotos", "photos are PNG", _as_png),
    Behaviour(
        "othernumber", "orderNo is another order's", with_fields(orderNo="another1")
    ),
)

# For documents that have crops, and names of older editions.
CROP_DRIFTS: tuple[Behaviour[Drift], ...] = (
    Behaviour("lostcrops", "the crops never come", without_crops),
)
OLD_NAME_DRIFTS: tuple[Behaviour[Drift], ...] = (
    Behaviour("oldnames", "field names of older editions", _renamed),
)
