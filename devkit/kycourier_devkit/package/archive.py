"""Writes zips whose bytes depend only on the files in them."""

import hashlib
import stat
import zipfile
from pathlib import Path

from msgspec import Struct

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_COMPRESSION = 9
_FILE_MODE, _LIBRARY_MODE = 0o644, 0o755


class BuiltZip(Struct, frozen=True, kw_only=True):
    """A zip's measures: sizes in bytes, the digest SHA-256 in hexadecimal."""

    name: str
    files: int
    zipped: int
    unzipped: int
    digest: str


def write_zip(folder: Path, target: Path) -> BuiltZip:
    """Writes all files of `folder`, sorted by name, with fixed times and modes."""
    paths = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(paths):
            archive.writestr(_entry(name), paths[name].read_bytes(), None, _COMPRESSION)
    return inspect_zip(target)


def inspect_zip(path: Path) -> BuiltZip:
    """Measures a zip."""
    with zipfile.ZipFile(path) as archive:
        sizes = [entry.file_size for entry in archive.infolist()]
    return BuiltZip(
        name=path.name,
        files=len(sizes),
        zipped=path.stat().st_size,
        unzipped=sum(sizes),
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _FIXED_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = _UNIX
    mode = _LIBRARY_MODE if name.endswith(".so") else _FILE_MODE
    entry.external_attr = (stat.S_IFREG | mode) << 16
    return entry
