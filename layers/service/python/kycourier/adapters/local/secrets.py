"""Secrets from the environment's mapping or from a file, read anew each time."""

from collections.abc import Mapping
from pathlib import Path

from kycourier.adapters.local.files import attempt
from kycourier.adapters.secret_text import read_secret, read_written_secret
from kycourier.core.errors import StoreUnavailable, forgetful
from kycourier.core.hidden import Secret


class EnvSecret:
    """The secret `env:NAME`, in the mapping that it is given."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self._name, self._environ = name, environ

    @forgetful
    def load(self) -> Secret:
        """Read it now. Raises StoreUnavailable when it is missing or empty."""
        return read_secret(self._environ.get(self._name, ""))


class FileSecret:
    """The secret `file:///path`: UTF-8, one newline at its end not counted."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()

    @forgetful
    def load(self) -> Secret:
        """Read it now. Raises StoreUnavailable when it is missing or empty."""
        content = attempt(self._path.read_bytes, failure=StoreUnavailable)
        return read_written_secret(content)
