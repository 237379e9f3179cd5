"""Whether evidence is as its manifest says: offline, with nothing but the files."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from kycourier.core.events import MANIFEST

_MANIFEST_NAME = re.compile(r"manifest-(?P<digest>[0-9a-f]{16})\.json")
_OBJECT_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,200}")
_DIGEST = re.compile(r"[0-9a-f]{64}")

Entry = Mapping[str, Any]
_MOST_MANIFEST_BYTES = 1 << 20


class Finding(Struct, frozen=True):
    """One object that is not as it should be: `missing`, `changed` or `extra`."""

    what: str
    path: Path
    why: str


class Checked(Struct, frozen=True):
    """One manifest with what was found in its folder."""

    manifest: Path
    objects: int
    findings: tuple[Finding, ...]


def find_manifests(folder: Path) -> list[Path]:
    """Find every manifest below a folder, by its name. Raises OSError."""
    found = []
    for parent, _, names in os.walk(folder, onerror=_refuse):
        manifests = filter(_MANIFEST_NAME.fullmatch, names)
        found += [Path(parent, name) for name in manifests]
    return sorted(found)


def find_strays(folder: Path) -> list[Finding]:
    """Find the files below a folder that have no manifest beside them."""
    strays = []
    for parent, _, names in os.walk(folder, onerror=_refuse):
        if not any(map(_MANIFEST_NAME.fullmatch, names)):
            strays += [Path(parent, name) for name in names]
    return [
        Finding("extra", path, "there is no manifest beside it")
        for path in sorted(strays)
    ]


def check_manifest(path: Path) -> Checked:
    """Check a manifest and every object beside it. Raises OSError."""
    objects, findings = _read_manifest(path)
    if objects is None:
        return Checked(path, 0, tuple(findings))
    named = {path.name}
    for entry in objects:
        named.add(entry["name"])
        findings += _check_object(path.parent / entry["name"], entry)
    for beside in sorted(path.parent.iterdir()):
        if beside.name not in named:
            findings.append(Finding("extra", beside, "the manifest does not name it"))
    return Checked(path, len(objects), tuple(findings))


def _read_manifest(path: Path) -> tuple[list[Entry] | None, list[Finding]]:
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


def _check_object(path: Path, entry: Entry) -> Iterator[Finding]:
    if not path.is_file():
        yield Finding("missing", path, "the manifest names it")
        return
    size = path.stat().st_size
    if size != entry["bytes"]:
        why = f"it has {size} bytes, the manifest says {entry['bytes']}"
        yield Finding("changed", path, why)
    elif _digest(path) != entry["sha256"]:
        yield Finding("changed", path, "its SHA-256 is not the manifest's")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _refuse(error: OSError) -> None:
    raise error
