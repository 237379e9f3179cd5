"""An S3 that answers as fast as it can: it reads objects and remembers their names."""

from threading import Lock
from urllib.parse import urlsplit

from bench.stand_ins.serving import Answer, Request, Server

LISTING = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<Name>evidence</Name><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys>"
    b"<IsTruncated>false</IsTruncated></ListBucketResult>"
)
XML = ("Content-Type: application/xml",)
ETAG = ('ETag: "0123456789abcdef0123456789abcdef"',)
_taken: set[str] = set()
_lock = Lock()


def answer(request: Request) -> tuple[str, Answer]:
    """Take an object, once under a name where that is demanded; list nothing."""
    if request.method == "GET" and "list-type" in request.path:
        return "list", Answer(body=(LISTING,), headers=XML)
    if request.method != "PUT":
        return request.method.lower(), Answer("404 Not Found")
    name = urlsplit(request.path).path
    with _lock:
        is_new = name not in _taken
        _taken.add(name)
    if not is_new and request.headers.get("if-none-match") == "*":
        return "refused", Answer("412 Precondition Failed")
    return "put", Answer(headers=ETAG)


if __name__ == "__main__":
    Server(answer).run(lambda _: None)
