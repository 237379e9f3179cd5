"""Zips whose bytes depend on nothing but what is in them."""

import hashlib
import stat
import zipfile
from pathlib import Path

from msgspec import Struct

_FIRST_INSTANT = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_LEVEL = 9
_FILE, _LIBRARY = 0o644, 0o755


class Package(Struct, frozen=True, kw_only=True):
    """A zip that was built; sizes in bytes, the digest SHA-256 in hexadecimal."""

    name: str
    files: int
    zipped: int
    unzipped: int
    digest: str


def write_zip(folder: Path, target: Path) -> Package:
    """Write all files of `folder`, sorted by name, with fixed times and modes."""
    paths = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(paths):
            archive.writestr(_describe(name), paths[name].read_bytes(), None, _LEVEL)
    return inspect_zip(target)


def inspect_zip(path: Path) -> Package:
    """Measure a zip."""
    with zipfile.ZipFile(path) as archive:
        sizes = [entry.file_size for entry in archive.infolist()]
    return Package(
        name=path.name,
        files=len(sizes),
        zipped=path.stat().st_size,
        unzipped=sum(sizes),
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _describe(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _FIRST_INSTANT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _UNIX
    mode = _LIBRARY if name.endswith(".so") else _FILE
    entry.external_attr = (stat.S_IFREG | mode) << 16
    return entry
