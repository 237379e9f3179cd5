"""Selects the files that go into the zips."""

import shutil
from pathlib import Path, PurePosixPath

_SERVICE_SUFFIXES = {".json", ".py"}
_EXCLUDED_FOLDERS = {"__pycache__", "bin", "sboms", "test", "tests"}
_EXCLUDED_SUFFIXES = {".key", ".p12", ".pem", ".pyc", ".pyi"}
_EXCLUDED_NAMES = {"py.typed"}
_REQUIRED = {PurePosixPath("certifi/cacert.pem")}  # the public roots of TLS
_METADATA = "METADATA"
_LICENCES = ("authors", "copying", "licence", "license", "notice")


def copy_service(source: Path, into: Path) -> None:
    """Copies the service's code and data, and no other file of its folder."""
    for path in sorted(source.rglob("*")):
        part = PurePosixPath(path.relative_to(source))
        is_excluded_part = is_excluded(part) or _is_hidden(part)
        is_service_file = path.is_file() and path.suffix in _SERVICE_SUFFIXES
        if is_service_file and not is_excluded_part:
            copy_file(path, into / part)


def copy_file(path: Path, target: Path) -> None:
    """Copies one file and creates its folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def prune(folder: Path) -> None:
    """Removes the excluded files of installed libraries."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and is_excluded(PurePosixPath(path.relative_to(folder))):
            path.unlink()


def is_excluded(path: PurePosixPath) -> bool:
    """Returns whether a file is left out; `path` is relative to the import root.

    A distribution's METADATA and licences are kept.
    """
    if path in _REQUIRED:
        return False
    if path.parts[0].endswith(".dist-info"):
        return not _is_kept_metadata(path)
    return (
        not _EXCLUDED_FOLDERS.isdisjoint(path.parts[:-1])
        or path.suffix in _EXCLUDED_SUFFIXES
        or path.name in _EXCLUDED_NAMES
    )


def _is_kept_metadata(path: PurePosixPath) -> bool:
    if path.parts[1:-1] and path.parts[1] != "licenses":
        return False
    is_licence = path.name.lower().startswith(_LICENCES)
    return path.name == _METADATA or is_licence or path.parts[1] == "licenses"


def _is_hidden(path: PurePosixPath) -> bool:
    return any(part.startswith(".") for part in path.parts)
