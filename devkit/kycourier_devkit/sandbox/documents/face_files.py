"""Draws the photo and the video of an order's face, always the same bytes."""

import math
from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache

from kycourier_devkit.sandbox.documents.drawing import jpeg
from kycourier_devkit.sandbox.documents.mp4 import padded, write_mp4
from kycourier_devkit.sandbox.documents.portrait import draw_portrait

_PHOTO_SIZE = (480, 640)
_VIDEO_SIZE = (240, 320)
_FRAMES = 16
_FRAME_MILLISECONDS = 125  # 16 frames are two seconds
_VIDEO_QUALITY = 40
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class FaceFiles:
    """One order's files: a JPEG and an MP4 of two seconds, tens of KB each."""

    photo: bytes = field(repr=False)
    video: bytes = field(repr=False)


@lru_cache(maxsize=32)
def draw_face(order_no: str) -> FaceFiles:
    """Draws the best frame of an order's face, and the video that it is from."""
    return FaceFiles(
        photo=jpeg(draw_portrait(order_no, size=_PHOTO_SIZE)),
        video=write_mp4(
            [_draw_frame(order_no, at) for at in range(_FRAMES)],
            size=_VIDEO_SIZE,
            frame_milliseconds=_FRAME_MILLISECONDS,
        ),
    )


def face_video(order_no: str, *, mebibytes: int) -> bytes:
    """Returns the order's video, filled up to a size; it plays the same frames."""
    return padded(draw_face(order_no).video, length=mebibytes * _MEBIBYTE)


@lru_cache(maxsize=64)
def face_file_texts(order_no: str) -> tuple[str, str]:
    """Returns photo and video in Base64."""
    files = draw_face(order_no)
    return b64encode(files.photo).decode(), b64encode(files.video).decode()


def _draw_frame(order_no: str, at: int) -> bytes:
    """Draws one frame; the mouth opens and closes twice, the eyes blink once."""
    mouth = math.sin(2 * math.pi * at / _FRAMES) ** 2
    eyes = 0.0 if at in (_FRAMES // 2, _FRAMES // 2 + 1) else 1.0
    frame = draw_portrait(order_no, size=_VIDEO_SIZE, mouth_open=mouth, eyes_open=eyes)
    return jpeg(frame, quality=_VIDEO_QUALITY)
