"""Digests three photos with SHA-256, as the service does while it parses."""

import hashlib

_photos = {}


def handler(event, context):
    """Digests three photos of a size several times."""
    size = event["size"]
    photo = _photos.setdefault(size, bytes(size))
    for _ in range(event["times"]):
        for _ in range(3):
            hashlib.sha256(photo).hexdigest()
    return 3 * size
