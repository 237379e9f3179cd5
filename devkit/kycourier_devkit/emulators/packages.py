"""Unpacks the built zips for this machine, as both clouds do for a function."""

import platform
import zipfile
from pathlib import Path

from kycourier_devkit.errors import ToolUnavailableError, UsageError

_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}


def find_architecture() -> str:
    """Returns Lambda's name of this architecture. Raises ToolUnavailableError."""
    system, machine = platform.system(), platform.machine()
    if system != "Linux" or machine not in _ARCHITECTURES:
        raise ToolUnavailableError(
            f"the packages are not built for {system} on {machine}"
        )
    return _ARCHITECTURES[machine]


def unpack(package: Path, into: Path, *, make: str = "make package") -> None:
    """Unpacks one zip over what `into` holds. Raises UsageError if it is not built."""
    if not package.is_file():
        raise UsageError(f"{package.name} is not built: run `{make}`")
    with zipfile.ZipFile(package) as archive:
        archive.extractall(into)
