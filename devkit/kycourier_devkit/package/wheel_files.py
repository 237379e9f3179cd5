"""What a wheel's file tells: its digest, and what is linked into its binaries."""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct
from packaging.utils import parse_wheel_filename

_BILLS = ".dist-info/sboms/"  # PEP 770: bills of materials that a wheel brings
_JSON = ".json"


class Linked(Struct, frozen=True):
    """A library inside another's binary, as the wheel's own bill names it."""

    name: str
    purl: str
    version: str | None = None


class Wheel(Struct, frozen=True):
    """One wheel; the digest is SHA-256 in hexadecimal."""

    sha256: str
    linked: tuple[Linked, ...]


class _Bill(Struct):
    components: tuple[Linked, ...] = ()


def read_wheels(folders: Iterable[Path]) -> dict[str, Wheel]:
    """Read the wheels of some folders, each by its normalized name."""
    paths = [path for folder in folders for path in sorted(folder.glob("*.whl"))]
    return {parse_wheel_filename(path.name)[0]: _read(path) for path in paths}


def _read(path: Path) -> Wheel:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Wheel(digest, tuple(_linked(path)))


def _linked(path: Path) -> Iterator[Linked]:
    with zipfile.ZipFile(path) as wheel:
        for name in wheel.namelist():
            if _BILLS in name and name.endswith(_JSON):
                yield from msgspec.json.decode(wheel.read(name), type=_Bill).components
