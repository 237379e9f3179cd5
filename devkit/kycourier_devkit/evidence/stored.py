"""Evidence in an object store, read as `pathlib` reads files."""

from collections.abc import Iterator
from itertools import groupby
from typing import BinaryIO, Literal, Protocol

from kycourier.ports import EvidenceStore


class EvidencePath(Protocol):
    """A file or folder of evidence: `pathlib.Path`, or a `StoredPath`."""

    @property
    def name(self) -> str:
        """The last part."""

    @property
    def parent(self) -> "EvidencePath":
        """The folder it lies in."""

    def __truediv__(self, name: str) -> "EvidencePath": ...

    def is_file(self) -> bool:
        """Tell whether it is there and holds bytes."""

    def iterdir(self) -> "Iterator[EvidencePath]":
        """Give what lies in this folder."""

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """Open it for reading."""


class StoredPath:
    """A key, or what stands before some: `uri` names the store that `key` is below.

    What it reads raises EvidenceUnavailable.
    """

    def __init__(
        self, store: EvidenceStore, uri: str, key: str, *, listed: bool = False
    ) -> None:
        self._store, self._uri, self._key, self._listed = store, uri, key, listed

    def __str__(self) -> str:
        return f"{self._uri}/{self._key}"

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self._key.rpartition("/")[2]

    @property
    def parent(self) -> "StoredPath":
        """What stands before the last part."""
        folder = self._key.rpartition("/")[0]
        return StoredPath(self._store, self._uri, folder)

    def __truediv__(self, name: str) -> "StoredPath":
        return StoredPath(self._store, self._uri, f"{self._key}/{name}")

    def is_file(self) -> bool:
        """Tell whether there is an object of this key."""
        folder = self._key.rpartition("/")[0]
        return self._listed or self._key in self._store.list(folder)

    def is_dir(self) -> bool:
        """Tell whether this is no manifest's key; nothing need lie below it."""
        return not self._key.endswith(".json")

    def iterdir(self) -> Iterator["StoredPath"]:
        """Give the objects below this key, however deep."""
        return map(self._found, self._store.list(self._key))

    def open(self, mode: Literal["rb"]) -> BinaryIO:  # noqa: ARG002 - as pathlib's
        """Open the object for reading."""
        return self._store.open(self._key)

    def walk(self) -> Iterator[list["StoredPath"]]:
        """Give the objects below this key, folder by folder."""
        keys = sorted(self._store.list(self._key), key=lambda key: key.rsplit("/", 1))
        for _, each in groupby(keys, key=lambda key: key.rpartition("/")[0]):
            yield [self._found(key) for key in each]

    def _found(self, key: str) -> "StoredPath":
        return StoredPath(self._store, self._uri, key, listed=True)
