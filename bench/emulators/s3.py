"""Emulates S3: reads objects, remembers their names, and drops their bytes."""

from threading import Lock
from urllib.parse import urlsplit

from bench.emulators.http_server import Request, Response, Server

LISTING = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<Name>evidence</Name><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys>"
    b"<IsTruncated>false</IsTruncated></ListBucketResult>"
)
XML = ("Content-Type: application/xml",)
ETAG = ('ETag: "0123456789abcdef0123456789abcdef"',)
_names: set[str] = set()
_lock = Lock()


def handle(request: Request) -> tuple[str, Response]:
    """Accepts a put, conditional ones once per name; lists no objects."""
    if request.method == "GET" and "list-type" in request.path:
        return "list", Response(body=(LISTING,), headers=XML)
    if request.method != "PUT":
        return request.method.lower(), Response("404 Not Found")
    name = urlsplit(request.path).path
    with _lock:
        is_new = name not in _names
        _names.add(name)
    if not is_new and request.headers.get("if-none-match") == "*":
        return "refused", Response("412 Precondition Failed")
    return "put", Response(headers=ETAG)


if __name__ == "__main__":
    Server(handle).run(lambda _: None)
