"""SHA-256 of three photos, which the service makes beside decoding them."""

import hashlib

_photos = {}


def handler(event, context):
    """Digest three photos of a size, again and again."""
    size = event["size"]
    photo = _photos.setdefault(size, bytes(size))
    for _ in range(event["times"]):
        for _ in range(3):
            hashlib.sha256(photo).hexdigest()
    return 3 * size
