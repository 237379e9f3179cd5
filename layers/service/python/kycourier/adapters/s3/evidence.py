"""Stores evidence in a bucket by the S3 protocol; objects are never replaced.

Where a put takes no condition, the store reads before it writes. Two concurrent writers
of a key then write the same bytes, because our keys contain the content's digest.

Reasons: `denied <permission> on a bucket`, `no such bucket in this region`,
`unreachable, or in another region`, `unclear response`, `no credentials`, `no time
left`, and what is wrong with a key or an object. They are derived only from obstore's
exception classes, because its texts hold URLs.
"""

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

from kycourier.adapters.s3 import objects
from kycourier.adapters.s3.dialect import NO_BUCKET, S3Dialect
from kycourier.core.errors import EvidenceConflictError, EvidenceUnavailableError
from kycourier.core.evidence import check_key
from kycourier.core.timing import S3_CALL_SECONDS, S3_RESERVE_SECONDS

T = TypeVar("T")
_PROBE = ".kycourier"


class S3EvidenceStore:
    """Objects of one bucket, below one prefix."""

    def __init__(
        self,
        build: Callable[[int], S3Store],
        *,
        dialect: S3Dialect,
        seconds_left: Callable[[], float],
    ) -> None:
        """Stores the parts; `build` returns a client from the seconds of a request."""
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
        more: bool = False,  # noqa: ARG002 - each object is durable by itself
    ) -> None:
        """Stores the object whole and durably; the same bytes again are success.

        After an unclear response the object is read back; if it is absent, the put is
        repeated once.

        Raises:
            EvidenceConflictError: the object exists with other bytes.
            EvidenceUnavailableError: the bucket failed.
        """
        check_key(key)
        if self._dialect.put_mode == "overwrite" and self._is_stored(key, sha256):
            return
        for _ in range(2):
            if self._try_put(key, content, media_type=media_type):
                return
            if self._is_stored(key, sha256):
                return
        raise _UnclearError

    def digest(self, key: str) -> str | None:
        """Reads the bytes and returns their SHA-256; None if there is no object.

        Raises:
            EvidenceUnavailableError: the bucket failed.
        """
        check_key(key)
        try:
            return self._read(
                self._dialect.get_permission,
                lambda bucket: objects.read_digest(bucket, key),
            )
        except _NotFoundError:
            return None

    def open(self, key: str) -> BinaryIO:
        """Reads the object into memory. Raises EvidenceUnavailableError."""
        check_key(key)
        content = self._read(
            self._dialect.get_permission,
            lambda bucket: objects.read_content(bucket, key),
        )
        return io.BytesIO(content)

    def list(self, folder: str) -> Iterator[str]:
        """Lists the keys below a folder, sorted, page by page.

        Raises:
            EvidenceUnavailableError: the bucket failed, or has a key that is not a
                path (`a//b`).
        """
        return self._pages(check_key(folder))

    def link(self, key: str, *, seconds: int) -> str:
        """Returns a download URL that expires after `seconds`, or with the credentials.

        Raises:
            EvidenceUnavailableError: there are no credentials, or no time is left.
        """
        check_key(key)
        ends_in = timedelta(seconds=seconds)
        return self._call(
            self._dialect.get_permission,
            lambda bucket: obstore.sign(bucket, "GET", key, ends_in),
        )

    def prove(self) -> None:
        """Checks that the bucket can be listed. Raises EvidenceUnavailableError."""
        try:
            self._call(
                self._dialect.list_permission,
                lambda bucket: objects.list_page(bucket, _PROBE, after=None),
            )
        except _UnclearError:
            pass
        else:
            return
        # obstore reports every failed listing alike, but not every failed head
        try:
            self._call(
                self._dialect.list_permission,
                lambda bucket: obstore.head(bucket, _PROBE),
            )
        except _NotFoundError:
            reason = self._dialect.no_bucket
        except _UnclearError:
            reason = "unreachable, or in another region"
        else:
            reason = "cannot be listed"
        raise EvidenceUnavailableError(reason)

    def _is_stored(self, key: str, sha256: str) -> bool:
        """Checks whether our bytes are stored. Raises EvidenceConflictError."""
        digest = self.digest(key)
        if digest not in {None, sha256}:
            raise EvidenceConflictError
        return digest is not None

    def _try_put(self, key: str, content: bytes, *, media_type: str) -> bool:
        """Puts once; returns False if it is unclear whether that succeeded."""
        mode = self._dialect.put_mode
        try:
            result = self._call(
                self._dialect.put_permission,
                lambda bucket: obstore.put(
                    bucket,
                    key,
                    content,
                    attributes={"Content-Type": media_type},
                    mode=mode,
                    use_multipart=False,
                ),
            )
        except _UnclearError:
            return False
        except _NotFoundError:
            pass
        else:
            return mode == "create" or objects.is_tag_of(result["e_tag"], content)
        raise EvidenceUnavailableError(NO_BUCKET)

    def _pages(self, folder: str) -> Iterator[str]:
        after = None
        while True:
            keys = self._read(
                self._dialect.list_permission,
                lambda bucket: objects.list_page(bucket, folder, after=after),  # noqa: B023 - called at once
            )
            yield from (key for key in keys if key.startswith(f"{folder}/"))
            if len(keys) < objects.PAGE:
                return
            if after is not None and keys[0] <= after:
                raise EvidenceUnavailableError("a listing does not go on after a page")
            after = keys[-1]

    def _read(self, permission: str, work: Callable[[S3Store], T]) -> T:
        """Makes a call, and repeats it once after an unclear response.

        A connection that was kept while the function was frozen may have ended.
        """
        try:
            return self._call(permission, work)
        except _UnclearError:
            pass
        return self._call(permission, work)

    def _call(self, permission: str, work: Callable[[S3Store], T]) -> T:
        """Makes one call.

        Raises:
            _NotFoundError: the object or its bucket does not exist.
            _UnclearError: the call may have succeeded.
            EvidenceUnavailableError: the call failed.
        """
        bucket = self._client_in_time()
        try:
            return work(bucket)
        except FileNotFoundError:
            failure: EvidenceUnavailableError = _NotFoundError()
        except PermissionDeniedError:
            failure = EvidenceUnavailableError(f"denied {permission} on a bucket")
        except UnauthenticatedError:  # also if the credentials' callback raises
            failure = EvidenceUnavailableError("no credentials")
        except InvalidPathError:
            failure = EvidenceUnavailableError("a key is not a path")
        except BaseError:
            failure = _UnclearError()
        raise failure

    def _client_in_time(self) -> S3Store:
        left = self._seconds_left() - S3_RESERVE_SECONDS
        seconds = int(min(S3_CALL_SECONDS, left))
        if seconds < 1:
            raise EvidenceUnavailableError("no time left")
        client = self._clients.get(seconds)
        if client is None:
            client = self._clients.setdefault(seconds, self._build(seconds))
        return client


class _NotFoundError(EvidenceUnavailableError):
    """The object or its bucket does not exist."""

    def __init__(self) -> None:
        super().__init__("no such object")


class _UnclearError(EvidenceUnavailableError):
    """It is unclear whether the call succeeded: no response, or a failure."""

    def __init__(self) -> None:
        super().__init__("unclear response")
