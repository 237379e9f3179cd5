"""Evidence as files below one folder: whole, lasting, private and never replaced."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

from kycourier.adapters.evidence_key import check_key
from kycourier.adapters.local.files import (
    attempt,
    check_writable,
    make_folder,
    place_file,
    sync_folder,
    sync_folder_together,
)
from kycourier.adapters.local.links import build_link, is_valid_link, load_link_key
from kycourier.core.errors import EvidenceConflict, EvidenceUnavailable
from kycourier.ports import Clock

T = TypeVar("T")
_PIECE_BYTES = 1 << 20


class FileEvidenceStore:
    """Objects below `root`; links are good at the local gateway."""

    def __init__(self, root: str | Path, *, link_key: str | Path, clock: Clock) -> None:
        """Make folder and link key unless there. Raises EvidenceUnavailable."""
        self._root, self._clock = Path(root).absolute(), clock
        _attempt(lambda: _make_root(self._root))
        self._link_key = _attempt(lambda: load_link_key(Path(link_key).absolute()))

    def put(
        self,
        key: str,
        content: bytes,
        *,
        sha256: str,
        media_type: str,  # noqa: ARG002 - a file has none; its name says it
        more: bool = False,
    ) -> None:
        """Store the object whole and lastingly; the same bytes again are success.

        With `more` to come its name lasts from then on. Raises EvidenceConflict,
        EvidenceUnavailable.
        """
        path = self._place(key)
        if not _attempt(lambda: self._put(path, content, more=more)):
            _compare(_attempt(lambda: _digest(path)), sha256)

    def digest(self, key: str) -> str | None:
        """Read the bytes back and give their SHA-256; None when there is no object.

        Raises EvidenceUnavailable.
        """
        path = self._place(key)
        return _attempt(lambda: _digest(path))

    def open(self, key: str) -> BinaryIO:
        """Open the object for reading. Raises EvidenceUnavailable."""
        path = self._place(key)
        return _attempt(lambda: path.open("rb"))

    def list(self, folder: str) -> Iterator[str]:
        """List the keys below a folder, sorted, killed writers' leavings included.

        Raises EvidenceUnavailable.
        """
        path = self._place(folder)
        found = _attempt(lambda: list(_walk(path)))
        return iter(sorted(file.relative_to(self._root).as_posix() for file in found))

    def link(self, key: str, *, seconds: int) -> str:
        """Make a URL below the gateway's root that ends after `seconds`."""
        check_key(key)
        expires = int(self._clock.now().timestamp()) + seconds
        return build_link(self._link_key, key, expires=expires)

    def check_link(self, key: str, *, expires: str, signature: str) -> bool:
        """Tell whether these parts of a URL are of a link that has not ended."""
        now = self._clock.now().timestamp()
        return is_valid_link(
            self._link_key, key, expires=expires, signature=signature, now=now
        )

    def _put(self, path: Path, content: bytes, *, more: bool) -> bool:
        """Put a file in place; with the last one's flush all names of its folder last.

        The folder's own name too, after them: by then little is left to be done.
        """
        folder = path.parent
        make_folder(folder, to_last=False)
        placed = place_file(path, content, to_last=False)
        if not more:
            sync_folder(folder)
            if folder != self._root:
                sync_folder_together(folder.parent)
        return placed

    def _place(self, key: str) -> Path:
        return self._root / check_key(key)


def _attempt(work: Callable[[], T]) -> T:
    return attempt(work, failure=EvidenceUnavailable)


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


def _compare(there: str | None, sha256: str) -> None:
    if there is None:
        raise EvidenceUnavailable("neither there nor absent")
    if there != sha256:
        raise EvidenceConflict


def _walk(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for parent, _, names in os.walk(folder, onerror=_refuse):
        yield from (Path(parent, name) for name in names)


def _refuse(error: OSError) -> None:
    raise error
