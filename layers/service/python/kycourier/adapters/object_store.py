"""Evidence in a bucket that speaks S3's protocol: checked, and never replaced.

Reasons of failures: `denied <service>:<Action> on a bucket`, `no such bucket in this
region`, `unreachable, or in another region`, `no clear answer`, `no credentials`, `no
time left` and what a key or content lacks. Which it is, obstore's classes say: their
texts hold URLs.
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import BinaryIO, TypeVar

import obstore
from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from kycourier.adapters.evidence_key import check_key
from kycourier.core.errors import EvidenceConflict, EvidenceUnavailable

T = TypeVar("T")
MOST_SECONDS = 5
RESERVED_SECONDS = 1
MOST_BYTES = 1 << 28  # the largest reply that a setting allows; 16 MB as a rule
PAGE = 1000
_PROBE = ".kycourier"
_PIECE_BYTES = 1 << 20


class ObjectEvidenceStore:
    """Objects of one bucket, below one prefix."""

    def __init__(
        self,
        build: Callable[[int], S3Store],
        *,
        service: str,
        seconds_left: Callable[[], float],
    ) -> None:
        """`build` makes a client whose requests end within so many seconds.

        It tries nothing again. `service` is the first word of the permissions' names.
        """
        self._build, self._service = build, service
        self._seconds_left = seconds_left
        self._clients: dict[int, S3Store] = {}

    def put(self, key: str, content: bytes, *, sha256: str, media_type: str) -> None:
        """Store the object whole and lastingly; the same bytes again are success.

        Whatever leaves doubt is settled by what lies there then; when that is nothing,
        the object is put once more. Raises EvidenceConflict, EvidenceUnavailable.
        """
        check_key(key)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise EvidenceUnavailable("damaged on the way")
        for _ in range(2):
            if self._is_taken(key, content, media_type=media_type):
                return
            there = self.digest(key)
            if there == sha256:
                return
            if there is not None:
                raise EvidenceConflict
        raise _InDoubt

    def digest(self, key: str) -> str | None:
        """Read the bytes back and give their SHA-256; None when there is no object.

        Raises EvidenceUnavailable.
        """
        check_key(key)
        try:
            return self._read("GetObject", lambda bucket: _digest(bucket, key))
        except _Absent:
            return None

    def open(self, key: str) -> BinaryIO:
        """Read the object whole, as it is small. Raises EvidenceUnavailable."""
        check_key(key)
        content = self._read("GetObject", lambda bucket: _content(bucket, key))
        return io.BytesIO(content)

    def list(self, folder: str) -> Iterator[str]:
        """List the keys below a folder, sorted, page by page.

        Raises EvidenceUnavailable, also for a key that is no path (`a//b`).
        """
        return self._pages(check_key(folder))

    def link(self, key: str, *, seconds: int) -> str:
        """Make a download URL that ends after `seconds`, or with the credentials."""
        check_key(key)
        ends_in = timedelta(seconds=seconds)
        return self._ask(
            "GetObject", lambda bucket: obstore.sign(bucket, "GET", key, ends_in)
        )

    def prove(self) -> None:
        """Look whether the bucket is there and may be listed.

        Raises EvidenceUnavailable.
        """
        try:
            self._ask("ListBucket", lambda bucket: _page(bucket, _PROBE, after=None))
        except _InDoubt:
            pass
        else:
            return
        # all failures of a listing are of one class, those of an object are not
        try:
            self._ask("ListBucket", lambda bucket: obstore.head(bucket, _PROBE))
        except _Absent:
            reason = "no such bucket in this region"
        except _InDoubt:
            reason = "unreachable, or in another region"
        else:
            reason = "cannot be listed"
        raise EvidenceUnavailable(reason)

    def _is_taken(self, key: str, content: bytes, *, media_type: str) -> bool:
        """Put once; False leaves doubt."""
        try:
            self._ask(
                "PutObject",
                lambda bucket: obstore.put(
                    bucket,
                    key,
                    content,
                    attributes={"Content-Type": media_type},
                    mode="create",
                    use_multipart=False,
                ),
            )
        except _InDoubt:
            return False
        except _Absent:
            pass
        else:
            return True
        raise EvidenceUnavailable("no such bucket in this region")

    def _pages(self, folder: str) -> Iterator[str]:
        after = None
        while True:
            keys = self._read("ListBucket", lambda b: _page(b, folder, after=after))  # noqa: B023 - called at once
            yield from (key for key in keys if key.startswith(f"{folder}/"))
            if len(keys) < PAGE:
                return
            after = keys[-1]

    def _read(self, action: str, work: Callable[[S3Store], T]) -> T:
        """Ask, and once more when the answer is not clear: reading changes nothing.

        A connection that was kept while the function was frozen may be dead.
        """
        try:
            return self._ask(action, work)
        except _InDoubt:
            pass
        return self._ask(action, work)

    def _ask(self, action: str, work: Callable[[S3Store], T]) -> T:
        """Ask once. Raises _Absent, _InDoubt, EvidenceUnavailable."""
        bucket = self._client_in_time()
        try:
            return work(bucket)
        except FileNotFoundError:
            failure: EvidenceUnavailable = _Absent()
        except PermissionDeniedError:
            failure = EvidenceUnavailable(
                f"denied {self._service}:{action} on a bucket"
            )
        except UnauthenticatedError:  # also what the credentials' callback raises
            failure = EvidenceUnavailable("no credentials")
        except InvalidPathError:
            failure = EvidenceUnavailable("a key is no path")
        except BaseError:
            failure = _InDoubt()
        raise failure

    def _client_in_time(self) -> S3Store:
        left = self._seconds_left() - RESERVED_SECONDS
        seconds = int(min(MOST_SECONDS, left))
        if seconds < 1:
            raise EvidenceUnavailable("no time left")
        client = self._clients.get(seconds)
        if client is None:
            client = self._clients.setdefault(seconds, self._build(seconds))
        return client


class _Absent(EvidenceUnavailable):
    """There is no such object, or no bucket for it."""

    def __init__(self) -> None:
        super().__init__("no such object")


class _InDoubt(EvidenceUnavailable):
    """Whether it was done is not known: no answer, a fault, or a condition."""

    def __init__(self) -> None:
        super().__init__("no clear answer")


def _digest(bucket: S3Store, key: str) -> str:
    digest = hashlib.sha256()
    for piece in obstore.get(bucket, key).stream(min_chunk_size=_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _content(bucket: S3Store, key: str) -> bytes:
    found = obstore.get(bucket, key)
    if found.meta["size"] > MOST_BYTES:
        raise EvidenceUnavailable("larger than any evidence")
    return bytes(found.bytes())


def _page(bucket: S3Store, folder: str, *, after: str | None) -> list[str]:
    pages = obstore.list(bucket, prefix=folder, offset=after, chunk_size=PAGE)
    return [found["path"] for found in next(pages, ())]
