"""Reads secrets from the environment or from a file, without a cache."""

from collections.abc import Mapping
from pathlib import Path

from kycourier.adapters.local.files import os_errors_as
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret, scrub_traceback
from kycourier.settings.secret_values import decode_secret


class EnvSecret:
    """The secret `env:NAME`."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self._name, self._environ = name, environ

    @scrub_traceback
    def get(self) -> Secret:
        """Reads it now. Raises StoreUnavailableError if it is missing or empty."""
        return decode_secret(self._environ.get(self._name, ""))


class FileSecret:
    """The secret `file:///path`."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path).absolute()

    @scrub_traceback
    def get(self) -> Secret:
        """Reads it now. Raises StoreUnavailableError if it is missing or empty."""
        content = os_errors_as(self._path.read_bytes, failure=StoreUnavailableError)
        return decode_secret(content)
