"""Stores evidence as private, durable files below one folder; none is replaced."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from kycourier.adapters.local.files import (
    check_writable,
    group_sync_folder,
    make_folder,
    os_errors_as,
    sync_folder,
    write_file_once,
)
from kycourier.adapters.local.links import build_link, is_valid_link, load_link_key
from kycourier.core.errors import EvidenceConflictError, EvidenceUnavailableError
from kycourier.core.evidence import check_key
from kycourier.ports import Clock

T = TypeVar("T")
_PIECE_BYTES = 1 << 20


class FileEvidenceStore:
    """Objects below `root`; the local gateway serves their links."""

    def __init__(self, root: str | Path, *, link_key: str | Path, clock: Clock) -> None:
        """Creates folder and link key if absent. Raises EvidenceUnavailableError."""
        self._root, self._clock = Path(root).absolute(), clock
        _run(lambda: _make_root(self._root))
        self._link_key = _run(lambda: load_link_key(Path(link_key).absolute()))

    def put(
        self,
        key: str,
        content: bytes,
        *,
        sha256: str,
        media_type: str,  # noqa: ARG002 - the file's name implies it
        more: bool = False,
    ) -> None:
        """Stores the object whole and durably; the same bytes again are success.

        With `more`, its name becomes durable only with a later object of its folder.

        Raises:
            EvidenceConflictError: the object exists with other bytes.
            EvidenceUnavailableError: the file system failed.
        """
        path = self._path_of(key)
        if not _run(lambda: self._put(path, content, more=more)):
            _compare(_run(lambda: _digest(path)), sha256)

    def digest(self, key: str) -> str | None:
        """Reads the bytes and returns their SHA-256; None if there is no object.

        Raises:
            EvidenceUnavailableError: the file system failed.
        """
        path = self._path_of(key)
        return _run(lambda: _digest(path))

    def open(self, key: str) -> BinaryIO:
        """Opens the object for reading. Raises EvidenceUnavailableError."""
        path = self._path_of(key)
        return _run(lambda: path.open("rb"))

    def list(self, folder: str) -> Iterator[str]:
        """Lists the keys below a folder, sorted, including partial files.

        Raises:
            EvidenceUnavailableError: the file system failed.
        """
        path = self._path_of(folder)
        files = _run(lambda: list(_walk(path)))
        return iter(sorted(file.relative_to(self._root).as_posix() for file in files))

    def link(self, key: str, *, seconds: int) -> str:
        """Returns a URL below the gateway's root that expires after `seconds`."""
        check_key(key)
        expires = int(self._clock.now().timestamp()) + seconds
        return build_link(self._link_key, key, expires=expires)

    def check_link(self, key: str, *, expires: str, signature: str) -> bool:
        """Checks whether these parts of a URL form a link that has not expired."""
        now = self._clock.now().timestamp()
        return is_valid_link(
            self._link_key, key, expires=expires, signature=signature, now=now
        )

    def _put(self, path: Path, content: bytes, *, more: bool) -> bool:
        """Writes a file; returns False if it exists.

        Without `more`, it also makes the names in its folder durable, and then the
        folder's own name: in this order the second flush costs little.
        """
        folder = path.parent
        make_folder(folder, durable=False)
        written = write_file_once(path, content, durable=False)
        if not more:
            sync_folder(folder)
            if folder != self._root:
                group_sync_folder(folder.parent)
        return written

    def _path_of(self, key: str) -> Path:
        return self._root / check_key(key)


def _run(work: Callable[[], T]) -> T:
    return os_errors_as(work, failure=EvidenceUnavailableError)


def _make_root(root: Path) -> None:
    make_folder(root)
    check_writable(root, how=os.W_OK | os.X_OK)


def _digest(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def _compare(stored: str | None, sha256: str) -> None:
    if stored is None:
        raise EvidenceUnavailableError("object disappeared")
    if stored != sha256:
        raise EvidenceConflictError


def _walk(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for parent, _, names in os.walk(folder, onerror=_raise):
        yield from (Path(parent, name) for name in names)


def _raise(error: OSError) -> None:
    raise error
