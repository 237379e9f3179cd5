"""Reads wheels: their digests and the libraries linked into their binaries."""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct
from packaging.utils import parse_wheel_filename

_SBOMS = ".dist-info/sboms/"  # PEP 770: bills of materials in a wheel
_JSON = ".json"


class LinkedLibrary(Struct, frozen=True):
    """A library inside a binary, according to the wheel's own bill of materials."""

    name: str
    purl: str
    version: str | None = None


class Wheel(Struct, frozen=True):
    """A wheel; the digest is SHA-256 in hexadecimal."""

    sha256: str
    linked: tuple[LinkedLibrary, ...]


class _Sbom(Struct):
    components: tuple[LinkedLibrary, ...] = ()


def read_wheels(folders: Iterable[Path]) -> dict[str, Wheel]:
    """Returns the wheels of some folders by normalized name."""
    paths = [path for folder in folders for path in sorted(folder.glob("*.whl"))]
    return {parse_wheel_filename(path.name)[0]: _read(path) for path in paths}


def _read(path: Path) -> Wheel:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Wheel(digest, tuple(_linked(path)))


def _linked(path: Path) -> Iterator[LinkedLibrary]:
    with zipfile.ZipFile(path) as wheel:
        for name in wheel.namelist():
            if _SBOMS in name and name.endswith(_JSON):
                yield from msgspec.json.decode(wheel.read(name), type=_Sbom).components
