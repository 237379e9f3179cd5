"""Compares evidence with its manifests; uses only the stored objects."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from kycourier.core.evidence import MANIFEST_TYPE
from kycourier_devkit.evidence.stored_path import EvidencePath, StoredPath

_MANIFEST_NAME = re.compile(r"manifest-(?P<digest>[0-9a-f]{16})\.json")
_OBJECT_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,200}")
_DIGEST = re.compile(r"[0-9a-f]{64}")

Entry = Mapping[str, Any]
_MAX_MANIFEST_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20


class Finding(Struct, frozen=True):
    """An object that differs: `kind` is `missing`, `changed` or `extra`.

    `reason` continues a sentence that begins with the path.
    """

    kind: str
    path: EvidencePath
    reason: str


class ManifestReport(Struct, frozen=True):
    """The findings in one manifest's folder, and how many objects it names.

    `sha256` is the manifest's own; empty if there is none.
    """

    manifest: EvidencePath
    objects: int
    findings: tuple[Finding, ...]
    sha256: str = ""


def find_manifests(folder: Path | StoredPath) -> list[EvidencePath]:
    """Returns the manifests below a folder, sorted.

    Raises:
        OSError: A local folder cannot be read.
        EvidenceUnavailableError: The object store cannot be read.
    """
    found = [path for paths in _walk(folder) for path in paths if _is_manifest(path)]
    return sorted(found, key=str)


def find_strays(folder: Path | StoredPath) -> list[Finding]:
    """Returns the objects below a folder that have no manifest beside them."""
    strays: list[EvidencePath] = []
    for paths in _walk(folder):
        if not any(map(_is_manifest, paths)):
            strays += paths
    return [
        Finding("extra", path, "has no manifest beside it")
        for path in sorted(strays, key=str)
    ]


def _walk(folder: Path | StoredPath) -> Iterator[Sequence[EvidencePath]]:
    """Yields the paths below a folder, a list for each subfolder."""
    if isinstance(folder, StoredPath):
        yield from folder.walk()
        return
    for parent, _, names in os.walk(folder, onerror=_raise):
        yield [Path(parent, name) for name in names]


def _is_manifest(path: EvidencePath) -> bool:
    return _MANIFEST_NAME.fullmatch(path.name) is not None


def check_manifest(path: EvidencePath) -> ManifestReport:
    """Checks a manifest and every object beside it.

    Raises:
        OSError: A local file cannot be read.
        EvidenceUnavailableError: The object store cannot be read.
    """
    content = _read_content(path)
    if content is None:
        gone = Finding("missing", path, "does not exist")
        return ManifestReport(path, 0, (gone,))
    digest = hashlib.sha256(content).hexdigest()
    objects, findings = _read_manifest(path, content, digest)
    if objects is None:
        return ManifestReport(path, 0, tuple(findings), digest)
    folder = path.parent
    present = {str(each): each for each in folder.iterdir()}
    extra = dict(present)
    extra.pop(str(path), None)
    for entry in objects:
        expected = folder / entry["name"]
        extra.pop(str(expected), None)
        findings += _check_object(present.get(str(expected), expected), entry)
    for _, each in sorted(extra.items()):
        findings.append(Finding("extra", each, "is not in the manifest"))
    return ManifestReport(path, len(objects), tuple(findings), digest)


def _read_content(path: EvidencePath) -> bytes | None:
    """Returns a manifest's bytes; None if there is none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file.read(_MAX_MANIFEST_BYTES + 1)


def _read_manifest(
    path: EvidencePath, content: bytes, digest: str
) -> tuple[list[Entry] | None, list[Finding]]:
    """Returns the manifest's entries, or None if it is not a manifest."""
    objects = _parse_objects(content)
    if objects is None:
        return None, [Finding("changed", path, "is not a manifest")]
    name = _MANIFEST_NAME.fullmatch(path.name)
    if name is None:
        return objects, [Finding("changed", path, "is not named manifest-DIGEST.json")]
    if not digest.startswith(name["digest"]):
        return objects, [
            Finding("changed", path, "has another SHA-256 than its name says")
        ]
    return objects, []


def _parse_objects(content: bytes) -> list[Entry] | None:
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(manifest, dict) or manifest.get("manifest") != MANIFEST_TYPE:
        return None
    objects = manifest.get("objects")
    if not isinstance(objects, list) or not all(map(_is_entry, objects)):
        return None
    return objects


def _is_entry(entry: object) -> bool:
    """Returns whether an entry names one file beside the manifest, and its digest."""
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("name"), str)
        and _OBJECT_NAME.fullmatch(entry["name"]) is not None
        and isinstance(entry.get("sha256"), str)
        and _DIGEST.fullmatch(entry["sha256"]) is not None
        and type(entry.get("bytes")) is int
    )


def _check_object(path: EvidencePath, entry: Entry) -> Iterator[Finding]:
    if not path.is_file():
        yield Finding("missing", path, "is named in the manifest and does not exist")
        return
    size, sha256 = _measure(path)
    if size != entry["bytes"]:
        reason = f"has {size} bytes; the manifest names {entry['bytes']}"
        yield Finding("changed", path, reason)
    elif sha256 != entry["sha256"]:
        yield Finding("changed", path, "has another SHA-256 than in the manifest")


def _measure(path: EvidencePath) -> tuple[int, str]:
    """Returns an object's size in bytes and its SHA-256."""
    size, digest = 0, hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            size += len(chunk)
            digest.update(chunk)
    return size, digest.hexdigest()


def _raise(error: OSError) -> None:
    raise error
