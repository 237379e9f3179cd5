"""Writes the photos and manifest of a collection to a folder."""

import hashlib
import json

PHOTOS = {"original": b"original photo", "cropped": b"cropped", "number": b"number"}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def write_manifest(folder, members):
    content = json.dumps(members).encode()
    path = folder / f"manifest-{sha256(content)[:16]}.json"
    path.write_bytes(content)
    return path


def write_collection(folder, **changes):
    """Write photos and manifest.

    Args:
        folder: Is created.
        changes: Replace members of the manifest.

    Returns:
        The manifest's path.
    """
    folder.mkdir(parents=True)
    objects = []
    for kind, content in PHOTOS.items():
        name = f"{kind}-{sha256(content)[:16]}.jpg"
        (folder / name).write_bytes(content)
        objects.append(
            {
                "kind": kind,
                "name": name,
                "sha256": sha256(content),
                "bytes": len(content),
                "media_type": "image/jpeg",
            }
        )
    manifest = {"manifest": "kycourier.manifest.v1", "objects": objects}
    return write_manifest(folder, manifest | changes)
