"""Compares the contract with the last release's: exit code 1 if it breaks anything.

`python -m kycourier_devkit.compatibility` compares; `--release` records the current
contract as the one that later releases must keep.
"""

import sys
from pathlib import Path

import msgspec

from kycourier_devkit.compatibility.contract import (
    Contract,
    allows_breaks,
    find_contract_breaks,
    read_current,
)

RELEASED = Path(__file__).with_name("released.json")


def read_released() -> Contract:
    """Reads the contract of the last release."""
    return msgspec.json.decode(RELEASED.read_bytes(), type=Contract)


def main(arguments: list[str]) -> int:
    """Compares or records the contract. Returns the exit code."""
    current = read_current()
    if arguments == ["--release"]:
        content = msgspec.json.format(msgspec.json.encode(current), indent=1)
        RELEASED.write_bytes(content + b"\n")
        return 0
    if arguments:
        sys.stderr.write(
            "usage: python -m kycourier_devkit.compatibility [--release]\n"
        )
        return 2
    released = read_released()
    breaks = find_contract_breaks(released, current)
    for each in breaks:
        sys.stdout.write(f"{each}\n")
    if not breaks or allows_breaks(released, current):
        return 0
    sys.stdout.write(
        f"{len(breaks)} breaking changes since {released.version}. Keep what others"
        " rely on, or raise the version: the first number, or while that is 0 the"
        " second.\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
