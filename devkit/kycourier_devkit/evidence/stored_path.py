"""Reads evidence in an object store through the interface of `pathlib`."""

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
        """The folder that contains it."""

    def __truediv__(self, name: str) -> "EvidencePath": ...

    def is_file(self) -> bool:
        """Returns whether it exists and is a file."""

    def iterdir(self) -> "Iterator[EvidencePath]":
        """Yields the contents of this folder."""

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """Opens it for reading."""


class StoredPath:
    """A key or key prefix in an object store; reading raises EvidenceUnavailableError.

    Args:
        store: The evidence store.
        uri: The store's URI, for messages.
        key: The key or prefix, without a trailing slash.
        listed: Whether a listing contained the key, so that it is known to exist.
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
        """The prefix before the last part."""
        folder = self._key.rpartition("/")[0]
        return StoredPath(self._store, self._uri, folder)

    def __truediv__(self, name: str) -> "StoredPath":
        return StoredPath(self._store, self._uri, f"{self._key}/{name}")

    def is_file(self) -> bool:
        """Returns whether there is an object with this key."""
        folder = self._key.rpartition("/")[0]
        return self._listed or self._key in self._store.list(folder)

    def is_dir(self) -> bool:
        """Returns whether this is a prefix, which need not contain an object."""
        return not self._key.endswith(".json")

    def iterdir(self) -> Iterator["StoredPath"]:
        """Yields the objects below this key, at any depth."""
        return map(self._listed_path, self._store.list(self._key))

    def open(self, mode: Literal["rb"]) -> BinaryIO:  # noqa: ARG002 - as pathlib's
        """Opens the object for reading."""
        return self._store.open(self._key)

    def walk(self) -> Iterator[list["StoredPath"]]:
        """Yields the objects below this key, a list for each folder."""
        keys = sorted(self._store.list(self._key), key=lambda key: key.rsplit("/", 1))
        for _, each in groupby(keys, key=lambda key: key.rpartition("/")[0]):
            yield [self._listed_path(key) for key in each]

    def _listed_path(self, key: str) -> "StoredPath":
        return StoredPath(self._store, self._uri, key, listed=True)
