"""Whether evidence is as its manifest says, with nothing but the objects themselves."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from kycourier.core.events import MANIFEST
from kycourier_devkit.evidence.stored import EvidencePath, StoredPath

_MANIFEST_NAME = re.compile(r"manifest-(?P<digest>[0-9a-f]{16})\.json")
_OBJECT_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,200}")
_DIGEST = re.compile(r"[0-9a-f]{64}")

Entry = Mapping[str, Any]
_MOST_MANIFEST_BYTES = 1 << 20


class Finding(Struct, frozen=True):
    """One object that is not as it should be: `missing`, `changed` or `extra`."""

    what: str
    path: EvidencePath
    why: str


class Checked(Struct, frozen=True):
    """One manifest with what was found in its folder."""

    manifest: EvidencePath
    objects: int
    findings: tuple[Finding, ...]


def find_manifests(folder: Path | StoredPath) -> list[EvidencePath]:
    """Find every manifest below a folder, by its name.

    Raises OSError, EvidenceUnavailable.
    """
    found = [path for paths in _walk(folder) for path in paths if _is_manifest(path)]
    return sorted(found, key=str)


def find_strays(folder: Path | StoredPath) -> list[Finding]:
    """Find the objects below a folder that have no manifest beside them."""
    strays: list[EvidencePath] = []
    for paths in _walk(folder):
        if not any(map(_is_manifest, paths)):
            strays += paths
    return [
        Finding("extra", path, "there is no manifest beside it")
        for path in sorted(strays, key=str)
    ]


def _walk(folder: Path | StoredPath) -> Iterator[Sequence[EvidencePath]]:
    """Give what lies below a folder, folder by folder."""
    if isinstance(folder, StoredPath):
        yield from folder.walk()
        return
    for parent, _, names in os.walk(folder, onerror=_refuse):
        yield [Path(parent, name) for name in names]


def _is_manifest(path: EvidencePath) -> bool:
    return _MANIFEST_NAME.fullmatch(path.name) is not None


def check_manifest(path: EvidencePath) -> Checked:
    """Check a manifest and every object beside it.

    Raises OSError, EvidenceUnavailable.
    """
    objects, findings = _read_manifest(path)
    if objects is None:
        return Checked(path, 0, tuple(findings))
    folder = path.parent
    beside = {str(each): each for each in folder.iterdir()}
    extra = dict(beside)
    extra.pop(str(path), None)
    for entry in objects:
        named = folder / entry["name"]
        extra.pop(str(named), None)
        findings += _check_object(beside.get(str(named), named), entry)
    for _, each in sorted(extra.items()):
        findings.append(Finding("extra", each, "the manifest does not name it"))
    return Checked(path, len(objects), tuple(findings))


def _read_manifest(path: EvidencePath) -> tuple[list[Entry] | None, list[Finding]]:
    """Read the objects that it names; None from what is no manifest."""
    if not path.is_file():
        return None, [Finding("missing", path, "there is no such manifest")]
    with path.open("rb") as file:
        content = file.read(_MOST_MANIFEST_BYTES + 1)
    objects = _parse_objects(content)
    if objects is None:
        return None, [Finding("changed", path, "it is no manifest")]
    found = _MANIFEST_NAME.fullmatch(path.name)
    digest = hashlib.sha256(content).hexdigest()
    if found is None:
        return objects, [Finding("changed", path, "its name is not manifest-….json")]
    if not digest.startswith(found["digest"]):
        return objects, [Finding("changed", path, "its SHA-256 is not its name's")]
    return objects, []


def _parse_objects(content: bytes) -> list[Entry] | None:
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(manifest, dict) or manifest.get("manifest") != MANIFEST:
        return None
    objects = manifest.get("objects")
    if not isinstance(objects, list) or not all(map(_is_entry, objects)):
        return None
    return objects


def _is_entry(entry: object) -> bool:
    """Tell whether an entry names one file beside the manifest, and its digest."""
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
        yield Finding("missing", path, "the manifest names it")
        return
    size, sha256 = _measure(path)
    if size != entry["bytes"]:
        why = f"it has {size} bytes, the manifest says {entry['bytes']}"
        yield Finding("changed", path, why)
    elif sha256 != entry["sha256"]:
        yield Finding("changed", path, "its SHA-256 is not the manifest's")


def _measure(path: EvidencePath) -> tuple[int, str]:
    """Read an object through; give its size in bytes and its SHA-256."""
    size, digest = 0, hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            size += len(piece)
            digest.update(piece)
    return size, digest.hexdigest()


def _refuse(error: OSError) -> None:
    raise error
