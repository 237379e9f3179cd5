"""Reads the boxes of an MP4 file (ISO/IEC 14496-12)."""

import struct
from dataclasses import dataclass

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl"}


@dataclass(frozen=True)
class Mp4:
    """The boxes by type in the order of the file, and what they say."""

    order: list[str]
    seconds: float
    size: tuple[int, int]
    frames: list[bytes]
    free_bytes: int


def read_boxes(data: bytes, start: int, end: int) -> list[tuple[bytes, bytes]]:
    """Return type and content of each box, and those inside containers."""
    boxes = []
    while start < end:
        length, kind = struct.unpack_from(">I4s", data, start)
        assert 8 <= length <= end - start
        boxes.append((kind, data[start + 8 : start + length]))
        if kind in CONTAINERS:
            boxes += read_boxes(data, start + 8, start + length)
        start += length
    return boxes


def read_mp4(data: bytes) -> Mp4:
    """Read a file with one track; asserts that its tables agree with one another."""
    listed = read_boxes(data, 0, len(data))
    boxes = dict(listed)
    assert len(boxes) == len(listed)
    scale, duration = struct.unpack_from(">II", boxes[b"mvhd"], 12)
    assert struct.unpack_from(">II", boxes[b"mdhd"], 12) == (scale, duration)
    assert struct.unpack_from(">I", boxes[b"tkhd"], 20) == (duration,)
    entries, count, step = struct.unpack_from(">III", boxes[b"stts"], 4)
    assert (entries, count * step) == (1, duration)
    same, samples = struct.unpack_from(">II", boxes[b"stsz"], 4)
    lengths = struct.unpack_from(f">{samples}I", boxes[b"stsz"], 12)
    assert (same, samples) == (0, count)
    assert struct.unpack_from(">IIII", boxes[b"stsc"], 4) == (1, 1, count, 1)
    chunks, offset = struct.unpack_from(">II", boxes[b"stco"], 4)
    assert chunks == 1
    assert data[offset : offset + sum(lengths)] == boxes[b"mdat"]
    frames = []
    for length in lengths:
        frames.append(data[offset : offset + length])
        offset += length
    width, height = struct.unpack_from(">II", boxes[b"tkhd"], 76)
    assert boxes[b"stsd"][12:16] == b"mp4v"
    assert struct.unpack_from(">HH", boxes[b"stsd"], 40) == (width >> 16, height >> 16)
    assert boxes[b"hdlr"][8:12] == b"vide"
    return Mp4(
        order=[kind.decode() for kind, _ in listed],
        seconds=duration / scale,
        size=(width >> 16, height >> 16),
        frames=frames,
        free_bytes=len(boxes.get(b"free", b"")),
    )
