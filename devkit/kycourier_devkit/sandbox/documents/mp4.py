"""Writes MP4 files with one track of JPEG frames (ISO/IEC 14496-12 and 14496-14)."""

import struct
from collections.abc import Sequence

_TIMESCALE = 1000  # units per second of all durations in the file
_TRACK = 1
_JPEG_OBJECT_TYPE = 0x6C  # ISO/IEC 10918-1
_VISUAL_STREAM = 0x04 << 2 | 1
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_LANGUAGE = 0x55C4  # und
_BOX_HEAD = 8


def write_mp4(
    frames: Sequence[bytes], *, size: tuple[int, int], frame_milliseconds: int
) -> bytes:
    """Returns a playable MP4 file: ftyp, moov, mdat.

    Args:
        frames: JPEG images, all of the same size.
        size: Width and height of a frame in pixels.
        frame_milliseconds: How long each frame is shown.
    """
    file_type = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2mp41")
    lengths = [len(frame) for frame in frames]

    def movie(offset: int) -> bytes:
        return _movie(lengths, size, frame_milliseconds, offset)

    offset = len(file_type) + len(movie(0)) + _BOX_HEAD
    return file_type + movie(offset) + _box(b"mdat", *frames)


def padded(mp4: bytes, *, length: int) -> bytes:
    """Appends a free box, so that the file has at least `length` bytes."""
    missing = length - len(mp4) - _BOX_HEAD
    return mp4 if missing < 0 else mp4 + _box(b"free", bytes(missing))


def _movie(
    lengths: Sequence[int], size: tuple[int, int], frame: int, offset: int
) -> bytes:
    width, height = size
    duration = frame * len(lengths)
    movie_header = _full_box(
        b"mvhd",
        struct.pack(">IIIIIH10x", 0, 0, _TIMESCALE, duration, 0x10000, 0x100),
        _MATRIX,
        bytes(24),
        struct.pack(">I", _TRACK + 1),
    )
    track_header = _full_box(
        b"tkhd",
        struct.pack(">IIIII16x", 0, 0, _TRACK, 0, duration),
        _MATRIX,
        struct.pack(">II", width << 16, height << 16),
        flags=3,  # enabled, in the movie
    )
    media_header = _full_box(
        b"mdhd", struct.pack(">IIIIHH", 0, 0, _TIMESCALE, duration, _LANGUAGE, 0)
    )
    handler = _full_box(b"hdlr", bytes(4), b"vide", bytes(12), b"frames\0")
    media = _box(
        b"minf", _MEDIA_INFORMATION, _sample_table(lengths, size, frame, offset)
    )
    track = _box(b"trak", track_header, _box(b"mdia", media_header, handler, media))
    return _box(b"moov", movie_header, track)


def _sample_table(
    lengths: Sequence[int], size: tuple[int, int], frame: int, offset: int
) -> bytes:
    count = len(lengths)
    entry = _box(
        b"mp4v",
        struct.pack(">6xH16xHH", 1, *size),
        struct.pack(">IIIH32xHh", 72 << 16, 72 << 16, 0, 1, 24, -1),
        _stream_descriptor(max(lengths)),
    )
    return _box(
        b"stbl",
        _full_box(b"stsd", struct.pack(">I", 1), entry),
        _full_box(b"stts", struct.pack(">III", 1, count, frame)),
        _full_box(b"stsc", struct.pack(">IIII", 1, 1, count, 1)),  # one chunk
        _full_box(b"stsz", struct.pack(f">II{count}I", 0, count, *lengths)),
        _full_box(b"stco", struct.pack(">II", 1, offset)),
    )


def _stream_descriptor(buffer_size: int) -> bytes:
    buffer = buffer_size.to_bytes(3, "big")
    config = bytes([_JPEG_OBJECT_TYPE, _VISUAL_STREAM]) + buffer + bytes(8)
    stream = struct.pack(">HB", _TRACK, 0) + _descriptor(4, config)
    return _full_box(b"esds", _descriptor(3, stream + _descriptor(6, b"\2")))


def _descriptor(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content


def _full_box(kind: bytes, *content: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags), *content)  # version 0


def _box(kind: bytes, *content: bytes) -> bytes:
    length = _BOX_HEAD + sum(map(len, content))
    return b"".join((struct.pack(">I", length), kind, *content))


_MEDIA_INFORMATION = _full_box(b"vmhd", bytes(8), flags=1) + _box(
    b"dinf",
    _full_box(b"dref", struct.pack(">I", 1), _full_box(b"url ", flags=1)),  # this file
)
