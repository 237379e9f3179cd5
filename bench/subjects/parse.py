"""From a reply's bytes to the photos' as the service does it, digests included."""

from pathlib import Path

from kycourier.adapters.memory import keep_memory_of_orders
from kycourier.core.hidden import ReplyBody
from kycourier.core.models import Recognition
from kycourier.core.wire import parse_result_reply

keep_memory_of_orders()  # as at the service's start
_bodies: dict[str, bytes] = {}


def handler(event: dict, _context: object) -> int:  # type: ignore[type-arg]
    """Parse the reply in a file, again and again; tell how large the photos are."""
    path = event["body"]
    body = _bodies.get(path) or _bodies.setdefault(path, Path(path).read_bytes())
    size = 0
    for _ in range(event["times"]):
        found = parse_result_reply(ReplyBody(body))
        if not isinstance(found, Recognition):
            raise TypeError
        size = sum(photo.size_bytes for photo in found.photos)
    return size
