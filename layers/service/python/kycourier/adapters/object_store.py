"""Evidence in a bucket that speaks S3's protocol: checked, and never replaced.

Where a put takes no condition, one looks before it: two writers at once must then have
the same bytes, as ours have, whose keys name their content.

Reasons of failures: `denied <permission> on a bucket`, `no such bucket in this
region`, `unreachable, or in another region`, `no clear answer`, `no credentials`, `no
time left` and what a key or content lacks. Which it is, obstore's classes say: their
texts hold URLs.
"""

import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import BinaryIO, Literal, TypeVar

import obstore
from msgspec import Struct
from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from kycourier.adapters import s3_objects
from kycourier.adapters.evidence_key import check_key
from kycourier.core.errors import EvidenceConflict, EvidenceUnavailable
from kycourier.core.hidden import shows

T = TypeVar("T")
MOST_SECONDS = 5
RESERVED_SECONDS = 1
NO_BUCKET = "no such bucket in this region"
_PROBE = ".kycourier"


@shows("put_mode")
class Dialect(Struct, frozen=True, kw_only=True):
    """How one cloud's buckets differ: how a put goes, and what permissions are called.

    A put that is to `create` is refused where an object is; one that may `overwrite`
    answers with the MD5 of what arrived. `no_bucket` says why nothing can be listed.
    """

    put_mode: Literal["create", "overwrite"]
    may_get: str
    may_put: str
    may_list: str
    no_bucket: str = NO_BUCKET


class ObjectEvidenceStore:
    """Objects of one bucket, below one prefix."""

    def __init__(
        self,
        build: Callable[[int], S3Store],
        *,
        dialect: Dialect,
        seconds_left: Callable[[], float],
    ) -> None:
        """`build` makes a client whose requests try once, for so many seconds."""
        self._build, self._dialect = build, dialect
        self._seconds_left = seconds_left
        self._clients: dict[int, S3Store] = {}

    def put(
        self,
        key: str,
        content: bytes,
        *,
        sha256: str,
        media_type: str,
        more: bool = False,  # noqa: ARG002 - a bucket keeps each by itself
    ) -> None:
        """Store the object whole and lastingly; the same bytes again are success.

        Whatever leaves doubt is settled by what lies there then; when that is nothing,
        the object is put once more. Raises EvidenceConflict, EvidenceUnavailable.
        """
        check_key(key)
        if self._dialect.put_mode == "overwrite" and self._is_there(key, sha256):
            return
        for _ in range(2):
            if self._is_taken(key, content, media_type=media_type):
                return
            if self._is_there(key, sha256):
                return
        raise _InDoubt

    def digest(self, key: str) -> str | None:
        """Read the bytes back and give their SHA-256; None when there is no object.

        Raises EvidenceUnavailable.
        """
        check_key(key)
        try:
            return self._read(
                self._dialect.may_get,
                lambda bucket: s3_objects.read_digest(bucket, key),
            )
        except _Absent:
            return None

    def open(self, key: str) -> BinaryIO:
        """Read the object whole, as it is small. Raises EvidenceUnavailable."""
        check_key(key)
        content = self._read(
            self._dialect.may_get, lambda bucket: s3_objects.read_content(bucket, key)
        )
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
            self._dialect.may_get,
            lambda bucket: obstore.sign(bucket, "GET", key, ends_in),
        )

    def prove(self) -> None:
        """Look whether the bucket may be listed. Raises EvidenceUnavailable."""
        try:
            self._ask(
                self._dialect.may_list,
                lambda bucket: s3_objects.list_page(bucket, _PROBE, after=None),
            )
        except _InDoubt:
            pass
        else:
            return
        # all failures of a listing are of one class, those of an object are not
        try:
            self._ask(
                self._dialect.may_list, lambda bucket: obstore.head(bucket, _PROBE)
            )
        except _Absent:
            reason = self._dialect.no_bucket
        except _InDoubt:
            reason = "unreachable, or in another region"
        else:
            reason = "cannot be listed"
        raise EvidenceUnavailable(reason)

    def _is_there(self, key: str, sha256: str) -> bool:
        """Look what lies there: our bytes, or nothing. Raises EvidenceConflict."""
        there = self.digest(key)
        if there not in {None, sha256}:
            raise EvidenceConflict
        return there is not None

    def _is_taken(self, key: str, content: bytes, *, media_type: str) -> bool:
        """Put once; False leaves doubt."""
        mode = self._dialect.put_mode
        try:
            answer = self._ask(
                self._dialect.may_put,
                lambda bucket: obstore.put(
                    bucket,
                    key,
                    content,
                    attributes={"Content-Type": media_type},
                    mode=mode,
                    use_multipart=False,
                ),
            )
        except _InDoubt:
            return False
        except _Absent:
            pass
        else:
            return mode == "create" or s3_objects.is_tag_of(answer["e_tag"], content)
        raise EvidenceUnavailable(NO_BUCKET)

    def _pages(self, folder: str) -> Iterator[str]:
        after = None
        while True:
            keys = self._read(
                self._dialect.may_list,
                lambda bucket: s3_objects.list_page(bucket, folder, after=after),  # noqa: B023 - called at once
            )
            yield from (key for key in keys if key.startswith(f"{folder}/"))
            if len(keys) < s3_objects.PAGE:
                return
            if after is not None and keys[0] <= after:
                raise EvidenceUnavailable("a listing does not go on after a page")
            after = keys[-1]

    def _read(self, permission: str, work: Callable[[S3Store], T]) -> T:
        """Ask, and once more when the answer is not clear: reading changes nothing.

        A connection that was kept while the function was frozen may be dead.
        """
        try:
            return self._ask(permission, work)
        except _InDoubt:
            pass
        return self._ask(permission, work)

    def _ask(self, permission: str, work: Callable[[S3Store], T]) -> T:
        """Ask once. Raises _Absent, _InDoubt, EvidenceUnavailable."""
        bucket = self._client_in_time()
        try:
            return work(bucket)
        except FileNotFoundError:
            failure: EvidenceUnavailable = _Absent()
        except PermissionDeniedError:
            failure = EvidenceUnavailable(f"denied {permission} on a bucket")
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
