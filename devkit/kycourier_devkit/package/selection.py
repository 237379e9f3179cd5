"""Which files go into a package, and what of a library is left out."""

import shutil
from pathlib import Path, PurePosixPath

OURS = {".json", ".py"}
_FOLDERS_LEFT_OUT = {"__pycache__", "bin", "sboms", "test", "tests"}
_SUFFIXES_LEFT_OUT = {".key", ".p12", ".pem", ".pyc", ".pyi"}
_NAMES_LEFT_OUT = {"py.typed"}
_NEEDED = {PurePosixPath("certifi/cacert.pem")}  # the public roots of TLS
_METADATA = "METADATA"
_LICENCES = ("authors", "copying", "licence", "license", "notice")


def copy_ours(source: Path, into: Path) -> None:
    """Copy our own code and data; nothing else that may lie there."""
    for path in sorted(source.rglob("*")):
        part = path.relative_to(source)
        wanted = path.suffix in OURS and not _is_hidden(PurePosixPath(part))
        if path.is_file() and wanted and not is_left_out(PurePosixPath(part)):
            place(path, into / part)


def place(path: Path, target: Path) -> None:
    """Copy one file, making its folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def prune(folder: Path) -> None:
    """Remove what is left out of installed libraries."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and is_left_out(PurePosixPath(path.relative_to(folder))):
            path.unlink()


def is_left_out(path: PurePosixPath) -> bool:
    """Tell whether a file is not needed; `path` begins where imports begin.

    Of a distribution's own folder its metadata and licences stay.
    """
    if path in _NEEDED:
        return False
    if path.parts[0].endswith(".dist-info"):
        return not _is_told(path)
    return (
        not _FOLDERS_LEFT_OUT.isdisjoint(path.parts[:-1])
        or path.suffix in _SUFFIXES_LEFT_OUT
        or path.name in _NAMES_LEFT_OUT
    )


def _is_told(path: PurePosixPath) -> bool:
    if path.parts[1:-1] and path.parts[1] != "licenses":
        return False
    is_licence = path.name.lower().startswith(_LICENCES)
    return path.name == _METADATA or is_licence or path.parts[1] == "licenses"


def _is_hidden(path: PurePosixPath) -> bool:
    return any(part.startswith(".") for part in path.parts)
